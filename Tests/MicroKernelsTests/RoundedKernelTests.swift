import CBuildTarget
import CProcessor
import CTileModel
import Kernels
import MicroKernels
import ReferenceKernels
import Testing

/// All implementations of products of bfloat16 numbers have the bits of the documented order of additions. All NaNs
/// count as equal.
@Suite struct RoundedKernelTests {
  static let kernels = RoundedKernel.testable.indices

  struct Shape: Sendable {
    let rows: Int
    let width: Int
    let runs: Int
    let runLength: Int
  }
  /// Odd and even numbers of tiles in each direction, one and several runs.
  static let shapes = [
    Shape(rows: 16, width: 16, runs: 1, runLength: 32), Shape(rows: 16, width: 32, runs: 1, runLength: 64),
    Shape(rows: 32, width: 16, runs: 2, runLength: 32), Shape(rows: 32, width: 32, runs: 1, runLength: 32),
    Shape(rows: 48, width: 32, runs: 3, runLength: 32), Shape(rows: 80, width: 16, runs: 1, runLength: 96),
    Shape(rows: 64, width: 32, runs: 2, runLength: 64),
  ]

  /// What the operands are.
  enum Values: CaseIterable, Sendable {
    case normal
    /// Whose products and sums are about the smallest normal number.
    case tiny
    /// Infinities, NaNs, the largest and the smallest numbers among others.
    case special

    func halves(_ count: Int, seed: UInt64) -> [UInt16] {
      TestData.normals(count, seed: seed).enumerated().map { index, value in
        switch self {
        case .normal: BFloat16.round(value)
        case .tiny: BFloat16.round(value * (index % 5 == 0 ? 0x1p-75 : 0x1p-64))
        case .special: index % 7 == 0 ? Self.specials[index / 7 % Self.specials.count] : BFloat16.round(value)
        }
      }
    }

    private static let specials: [UInt16] = [
      0x0000, 0x8000, 0x0001, 0x807F, 0x0080, 0x7F7F, 0xFF7F, 0x3F80, 0x7F80, 0x0000, 0x1234, 0xFF80, 0x7FC0,
    ]
  }

  private static func bits(_ numbers: [Float]) -> [UInt32] { numbers.map { $0.isNaN ? UInt32.max : $0.bitPattern } }

  private static func widened(_ half: UInt16) -> Float { Float(bitPattern: UInt32(half) << 16) }

  @Test(arguments: shapes, Values.allCases)
  func productsHaveTheBitsOfTheDocumentedOrder(shape: Shape, values: Values) {
    let (width, length) = (shape.width, shape.runLength)
    let b = values.halves(shape.runs * length * width, seed: 2)
    for (aGap, cGap) in [(0, 0), (3, 5)] {
      // Runs share rows, as the taps of a convolution do, and start anywhere.
      let (aStride, cStride, offset) = (length + aGap, width + cGap, 5)
      let a = values.halves(shape.rows * aStride + shape.runs * offset, seed: 1)
      let c = values.halves(shape.rows * cStride, seed: 3).map { Self.widened($0) * (1 + 0x1p-20) }
      for accumulates in [false, true] {
        var expected = c
        for row in 0..<shape.rows {
          for column in 0..<width {
            var (left, right): ([Float], [Float]) = ([], [])
            for run in 0..<shape.runs {
              for k in 0..<length {
                left.append(Self.widened(a[run * offset + row * aStride + k]))
                right.append(Self.widened(b[((run * length + k) / 2 * width + column) * 2 + k % 2]))
              }
            }
            let element = row * cStride + column
            expected[element] = Reference.roundedSum(left, right, addedTo: accumulates ? c[element] : 0)
          }
        }
        for kernel in RoundedKernel.testable {
          var result = c
          a.withUnsafeBufferPointer { a in
            result.withUnsafeMutableBufferPointer {
              kernel.multiply(
                rows: shape.rows, width: width, a: (0..<shape.runs).map { a.baseAddress! + $0 * offset },
                aStride: aStride, runLength: length, b: b, c: $0.baseAddress!, cStride: cStride,
                accumulates: accumulates)
            }
          }
          #expect(Self.bits(result) == Self.bits(expected), "\(kernel.name), \(values)")
        }
      }
    }
  }

  @Test(arguments: kernels) func aSumMayBeDividedAmongCalls(index: Int) {
    let (kernel, rows, width, length) = (RoundedKernel.testable[index], 16, 16, 96)
    let (a, b) = (Values.normal.halves(rows * length, seed: 1), Values.normal.halves(width * length, seed: 2))
    func product(_ pieces: [Range<Int>]) -> [Float] {
      var result = [Float](repeating: .nan, count: rows * width)
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          result.withUnsafeMutableBufferPointer { c in
            for piece in pieces {
              kernel.multiply(
                rows: rows, width: width, a: [a.baseAddress! + piece.lowerBound], aStride: length,
                runLength: piece.count, b: b.baseAddress! + piece.lowerBound * width, c: c.baseAddress!, cStride: width,
                accumulates: piece.lowerBound > 0)
            }
          }
        }
      }
      return result
    }
    let whole = product([0..<96])
    #expect(TestData.sameBits(product([0..<32, 32..<96]), whole))
    #expect(TestData.sameBits(product([0..<64, 64..<96]), whole))
  }

  /// The smallest normal number plus or minus a tiny product, rounded and then flushed if it is denormal.
  @Test(
    arguments: kernels,
    [
      (0x1p-73, 0x1p-126 + 0x1p-148), (0x1p-75, 0x1p-126), (-0x1p-74, 0), (-0x1p-75, 0), (-0x1p-76, 0x1p-126),
      (-0x1p-77, 0x1p-126),
    ] as [(factor: Float, expected: Float)])
  func resultsAreFlushedIfTheyAreDenormalAfterRounding(index: Int, example: (factor: Float, expected: Float)) {
    #if arch(arm64)
      // Arm's processors decide before rounding (Arm Architecture Reference Manual, A1.5.4), and have no tiles.
      if example.factor < 0 { return }
    #endif
    let kernel = RoundedKernel.testable[index]
    var (a, b) = ([UInt16](repeating: 0, count: 16 * 32), [UInt16](repeating: 0, count: 16 * 32))
    // Two even terms of the first element: 2⁻¹²⁶ and 2⁻⁷⁵ times the factor.
    (a[0], b[0]) = (BFloat16.round(0x1p-63), BFloat16.round(0x1p-63))
    (a[2], b[2 * 16]) = (BFloat16.round(example.factor), BFloat16.round(0x1p-75))
    var c = [Float](repeating: .nan, count: 16 * 16)
    c.withUnsafeMutableBufferPointer { c in
      a.withUnsafeBufferPointer {
        kernel.multiply(
          rows: 16, width: 16, a: [$0.baseAddress!], aStride: 32, runLength: 32, b: b, c: c.baseAddress!, cStride: 16)
      }
    }
    #expect(c[0].bitPattern == example.expected.bitPattern, "\(kernel.name)")
    #expect(c[1...].allSatisfy { $0.bitPattern == 0 })
  }

  @Test(arguments: kernels) func otherCodeOfTheThreadSeesNoChange(index: Int) {
    let (a, b) = ([UInt16](repeating: 0, count: 16 * 32), [UInt16](repeating: 0, count: 16 * 32))
    var c = [Float](repeating: .nan, count: 16 * 16)
    c.withUnsafeMutableBufferPointer { c in
      a.withUnsafeBufferPointer {
        RoundedKernel.testable[index].multiply(
          rows: 16, width: 16, a: [$0.baseAddress!], aStride: 32, runLength: 32, b: b, c: c.baseAddress!, cStride: 16)
      }
    }
    // The bits, since numbers would be equal if denormal operands still counted as zeros.
    #expect((Float.leastNormalMagnitude * (1 + c[0]) / 2).bitPattern == 0x0040_0000)
    // No tiles stay configured, which the system would have to save.
    var configuration = [UInt8](repeating: 1, count: 64)
    tile_model_store_configuration(&configuration)
    #expect(configuration.allSatisfy { $0 == 0 })
  }

  // MARK: The choice

  private static func name(for features: ddpm_processor_feature..., usingTiles: Bool) -> String {
    RoundedKernel.best(for: features.reduce(0) { $0 | $1.rawValue }, usingTiles: usingTiles).name
  }

  @Test func lastKernelRunsOnAnyProcessor() {
    #expect(RoundedKernel.all.last!.isSupported(by: 0))
    #expect(RoundedKernel.all.dropLast().allSatisfy { !$0.isSupported(by: 0) })
    #expect(Set(RoundedKernel.all.map(\.name)).count == RoundedKernel.all.count)
  }

  #if arch(x86_64)
    @Test func tilesAreUsedOnlyOnRequest() {
      #expect(RoundedKernel.all.map(\.name) == ["AMX", "AVX-512", "AVX2", "plain C"])
      #expect(RoundedKernel.best(for: .max, usingTiles: true).name == "AMX")
      #expect(RoundedKernel.best(for: .max, usingTiles: false).name == "AVX-512")
      #expect(Self.name(for: DDPM_FEATURE_AVX512F, usingTiles: true) == "AVX-512")
      #expect(Self.name(for: DDPM_FEATURE_AVX2, DDPM_FEATURE_FMA, usingTiles: false) == "AVX2")
      #expect(Self.name(for: DDPM_FEATURE_AVX2, usingTiles: false) == "plain C")
    }
  #endif

  @Test func stateOfTilesIsThatOfTheChosenKernel() {
    #expect(Tiles.areUsed == (RoundedKernel.best.name == "AMX"))
    #expect(Tiles.areAvailable || !Tiles.arePermitted)
    #expect(Tiles.state.contains("AMX"))
    // No build needs them.
    #expect(Processor.buildFeatures.rawValue & DDPM_FEATURE_AMX_BF16.rawValue == 0)
  }
}
