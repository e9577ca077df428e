import CProcessor
import MicroKernels
import ReferenceKernels
import Testing

/// All micro-kernels that this processor supports give the same bits as the plain ones. All NaNs count as equal, since
/// the order of operands in an instruction determines which NaN results.
@Suite struct MicroKernelTests {
  static let supported = MicroKernel.all.indices.filter {
    MicroKernel.all[$0].isSupported(by: ddpm_processor_features())
  }
  private static let plain = MicroKernel.all.last!

  struct Shape: Sendable {
    let width: Int
    let depth: Int
  }
  static let shapes = [32, 48].flatMap { width in [1, 2, 3, 7, 16, 33, 129].map { Shape(width: width, depth: $0) } }

  /// Special values in the operands, besides normal numbers.
  enum Values: CaseIterable, Sendable {
    case normal, zeros, infinities, notNumbers

    /// Some of the numbers are replaced, at positions that differ from row to row.
    func put(into numbers: inout [Float], every step: Int) {
      let special: [Float]
      switch self {
      case .normal: return
      case .zeros: special = [-0, 0, -0, -0]
      case .infinities: special = [.infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
      case .notNumbers: special = [.nan, -.nan, .nan, .infinity]
      }
      for (number, index) in stride(from: 0, to: numbers.count, by: step).enumerated() {
        numbers[index] = special[number % special.count]
      }
    }

    func numbers(_ count: Int, seed: UInt64, every step: Int) -> [Float] {
      var numbers = TestData.normals(count, seed: seed)
      put(into: &numbers, every: self == .zeros ? 1 + step % 3 : step)
      return numbers
    }
  }

  private static func bits(_ numbers: [Float]) -> [UInt32] { numbers.map { $0.isNaN ? UInt32.max : $0.bitPattern } }

  @Test(arguments: supported, shapes)
  func productsHaveTheBitsOfThePlainKernel(index: Int, shape: Shape) {
    let (kernel, rows) = (MicroKernel.all[index], MicroKernel.rows)
    let (width, depth) = (shape.width, shape.depth)
    for values in Values.allCases {
      // Rows of A and columns; strides with gaps.
      for (rowStride, depthStride) in [(depth, 1), (depth + 3, 1), (1, rows), (1, rows + 5)] {
        for (bStride, cStride) in [(width, width), (width + 7, width + 16)] {
          let count = (rows - 1) * rowStride + (depth - 1) * depthStride + 1
          let a = values.numbers(count, seed: 1, every: 11)
          let b = values.numbers(depth * bStride, seed: 2, every: 17)
          let c = values.numbers(rows * cStride, seed: 3, every: 13)
          for accumulates in [false, true] {
            let results = [kernel, Self.plain].map { kernel in
              var result = c
              result.withUnsafeMutableBufferPointer {
                kernel.multiply(
                  width: width, depth: depth, a: a, rowStride: rowStride, depthStride: depthStride, b: b,
                  bStride: bStride, c: $0.baseAddress!, cStride: cStride, accumulates: accumulates)
              }
              return Self.bits(result)
            }
            #expect(results[0] == results[1], "\(kernel.name), \(values)")
          }
        }
      }
    }
  }

  @Test(arguments: supported, shapes)
  func productsOfPatchesHaveTheBitsOfThePlainKernel(index: Int, shape: Shape) {
    let (kernel, rows) = (MicroKernel.all[index], MicroKernel.rows)
    let (width, length) = (shape.width, shape.depth)
    for values in Values.allCases {
      for runs in [1, 3, 7] {
        let inputs = values.numbers((rows + runs) * length, seed: 1, every: 11)
        let weights = values.numbers(runs * length * width, seed: 2, every: 17)
        let bias = values.numbers(width, seed: 3, every: 5)
        for minimum in [0, -Float.infinity] {
          for stride in [width, width + 16] {
            let outputs = TestData.normals(rows * stride, seed: 4)
            let results = [kernel, Self.plain].map { kernel in
              var result = outputs
              inputs.withUnsafeBufferPointer { inputs in
                // Neighbouring patches share inputs.
                let patches = (0..<runs * rows).map { inputs.baseAddress! + ($0 / rows + $0 % rows) * length }
                result.withUnsafeMutableBufferPointer {
                  kernel.multiplyPatches(
                    width: width, runs: runs, runLength: length, patches: patches, weights: weights, bias: bias,
                    minimum: minimum, into: $0.baseAddress!, stride: stride)
                }
              }
              return Self.bits(result)
            }
            #expect(results[0] == results[1], "\(kernel.name), \(values)")
          }
        }
      }
    }
  }

  @Test(arguments: supported, [1, 2, 5, 256])
  func preciseProductsHaveTheBitsOfThePlainKernel(index: Int, depth: Int) {
    let (kernel, rows, columns) = (MicroKernel.all[index], MicroKernel.rows, MicroKernel.preciseColumns)
    for values in Values.allCases {
      for stride in [columns, columns + 9] {
        let a = values.numbers(depth * rows, seed: 1, every: 11).map { Double($0) }
        let b = values.numbers(depth * columns, seed: 2, every: 17).map { Double($0) }
        let c = values.numbers(rows * stride, seed: 3, every: 13).map { Double($0) }
        let results = [kernel, Self.plain].map { kernel in
          var result = c
          result.withUnsafeMutableBufferPointer {
            kernel.addPrecise(depth: depth, a: a, b: b, to: $0.baseAddress!, rowStride: stride)
          }
          return result.map { $0.isNaN ? UInt64.max : $0.bitPattern }
        }
        #expect(results[0] == results[1], "\(kernel.name), \(values)")
      }
    }
  }

  @Test(arguments: supported) func anElementIsAChainOfFusedMultiplyAdds(index: Int) {
    let (kernel, rows, width, depth) = (MicroKernel.all[index], MicroKernel.rows, 48, 37)
    let (a, b) = (TestData.normals(rows * depth, seed: 1), TestData.normals(depth * width, seed: 2))
    let c = TestData.normals(rows * width, seed: 3)
    var result = c
    result.withUnsafeMutableBufferPointer {
      kernel.multiply(
        width: width, depth: depth, a: a, rowStride: depth, depthStride: 1, b: b, bStride: width, c: $0.baseAddress!,
        cStride: width, accumulates: true)
    }
    for row in 0..<rows {
      for column in 0..<width {
        let sum = (0..<depth).reduce(Float(0)) { $0.addingProduct(a[row * depth + $1], b[$1 * width + column]) }
        #expect(result[row * width + column] == c[row * width + column] + sum)
      }
    }
  }

  @Test(arguments: supported) func nanPassesThroughTheRectifier(index: Int) {
    let (rows, width) = (MicroKernel.rows, 32)
    let zeros = [Float](repeating: 0, count: width)
    let bias = [.nan, -1, 2, -Float.infinity] + zeros.dropFirst(4)
    var result = [Float](repeating: 7, count: rows * width)
    zeros.withUnsafeBufferPointer { input in
      let patches = [UnsafePointer<Float>](repeating: input.baseAddress!, count: rows)
      result.withUnsafeMutableBufferPointer {
        MicroKernel.all[index].multiplyPatches(
          width: width, runs: 1, runLength: 1, patches: patches, weights: zeros, bias: bias, minimum: 0,
          into: $0.baseAddress!, stride: width)
      }
    }
    for row in 0..<rows {
      let first = row * width
      #expect(result[first].isNaN && result[first + 1] == 0 && result[first + 2] == 2 && result[first + 3] == 0)
    }
  }
}
