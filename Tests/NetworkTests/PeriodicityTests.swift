import Differentiation
import Kernels
import Network
import Tensors
import Testing

/// Networks for periodic images: a shifted image has the shifted output.
@Suite struct PeriodicityTests {
  /// The largest difference, relative to the largest number: rounding only, since shifted pixels are at other positions
  /// in Winograd's tiles and in the order of sums.
  static let tolerance = 1e-5

  /// Networks with every operation that sees pixels beyond a border. Images have 12x20 pixels and three levels; 3x5 at
  /// the lowest.
  struct Architecture: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let options: UNetArchitecture

    init(_ name: String, _ options: UNetArchitecture, _ change: (inout UNetArchitecture) -> Void = { _ in }) {
      testDescription = name
      var options = options
      change(&options)
      self.options = options
    }

    static let all = [
      Architecture("DDPM", .ddpm),
      Architecture("DDPM with a filter", .ddpm) {
        $0.smoothsResampling = true
        $0.progressiveInput = .residual
        $0.progressiveOutput = .residual
      },
      Architecture("DDPM with image skips", .ddpm) {
        $0.smoothsResampling = true
        $0.progressiveInput = .inputSkip
        $0.combination = .concatenation
        $0.progressiveOutput = .outputSkip
      },
      Architecture("ADM", .adm) { $0.headChannels = 8 },
      Architecture("DDPM++", .ddpmPlusPlus),
      Architecture("NCSN++", .ncsnPlusPlus),
    ]
  }

  @Test(arguments: Architecture.all, Periodicity.allCases)
  func aShiftedImageHasTheShiftedOutputAndGradients(architecture: Architecture, periodicity: Periodicity) {
    // Norms of a shifted image differ in their last bits; rounding operands to bfloat16 would enlarge such differences.
    for method in [ConvolutionMethod.winograd, .direct] {
      let network = Self.network(architecture, periodicity, method)
      let (x, seed) = (Tensor.normals(Self.shape, seed: 1), Tensor.normals(Self.shape, seed: 2))
      let plain = Self.pass(network, x, seed: seed)
      for shift in [Shift(rows: 4, columns: 0), Shift(rows: 0, columns: 4), Shift(rows: 8, columns: -4)] {
        let shifted = Self.pass(network, shift.applied(to: x), seed: shift.applied(to: seed))
        let differences = [
          Self.difference(shifted.output, shift.applied(to: plain.output)),
          Self.difference(shifted.inputGradient, shift.applied(to: plain.inputGradient)),
        ]
        let isExpected =
          (shift.rows == 0 || periodicity.includesHeight) && (shift.columns == 0 || periodicity.includesWidth)
        if isExpected {
          #expect(differences.allSatisfy { $0 < Self.tolerance }, "\(method), \(shift): \(differences)")
          // The bias of the keys has no effect, so its gradient is rounding errors alone.
          for entry in network.layout.entries where !entry.name.hasSuffix("to_k.bias") {
            let difference = Self.difference(shifted.gradients.tensor(entry), plain.gradients.tensor(entry))
            #expect(difference < Self.gradientTolerance, "\(method), \(shift): \(entry.name)")
          }
        } else {
          // The border shows.
          #expect(differences.allSatisfy { $0 > 0.01 }, "\(method), \(shift): \(differences)")
        }
      }
    }
  }

  /// Gradients of parameters are sums over all pixels, whose terms may cancel.
  private static let gradientTolerance = 1e-4

  @Test func theNumberOfThreadsDoesNotChangeTheBitsOfAPeriodicNetwork() {
    let network = Self.network(Architecture.all[1], .both, .winograd)
    let (x, seed) = (Tensor.normals(Self.shape, seed: 1), Tensor.normals(Self.shape, seed: 2))
    let single = Self.pass(network, x, seed: seed)
    for threads in [2, 3] {
      let several = Self.pass(network, x, seed: seed, threads: threads)
      #expect(several.output.elements == single.output.elements)
      #expect(several.inputGradient.elements == single.inputGradient.elements)
      for entry in network.layout.entries {
        #expect(several.gradients.tensor(entry).elements == single.gradients.tensor(entry).elements)
      }
    }
  }

  @Test func classesOfAShiftedPeriodicImageAreThoseOfTheImage() {
    func logits(_ periodicity: Periodicity, _ x: Tensor) -> Tensor {
      let network = ClassifierNetwork(Self.configuration(.ddpm, periodicity, .winograd), classCount: 5)
      let tape = Tape(inferenceWith: network.randomParameters(), workers: WorkerPool(threadCount: 2))
      return network(tape.input(x), timesteps: Self.times, on: tape).value
    }
    let x = Tensor.normals(Self.shape, seed: 1)
    let shifted = Shift(rows: 4, columns: 8).applied(to: x)
    #expect(Self.difference(logits(.both, shifted), logits(.both, x)) < Self.tolerance)
    #expect(Self.difference(logits(.none, shifted), logits(.none, x)) > 0.001)
  }

  // MARK: Networks

  private static let times: [Float] = [0.5, -1.25]
  private static let shape = [2, 12, 20, 2]

  private static func configuration(
    _ architecture: UNetArchitecture, _ periodicity: Periodicity, _ method: ConvolutionMethod
  ) -> UNetConfiguration {
    UNetConfiguration(
      imageChannels: shape[3], imageHeight: shape[1], imageWidth: shape[2], channels: 16, multipliers: [1, 2, 2],
      blocksPerLevel: 1, attentionResolutions: [6], groupCount: 4, arithmetic: Arithmetic(convolutionMethod: method),
      periodicity: periodicity, architecture: architecture)
  }

  private static func network(
    _ architecture: Architecture, _ periodicity: Periodicity, _ method: ConvolutionMethod
  ) -> UNet {
    UNet(configuration(architecture.options, periodicity, method))
  }

  private struct Pass {
    let output: Tensor
    let inputGradient: Tensor
    let gradients: Arena
  }

  private static func pass(_ network: UNet, _ x: Tensor, seed: Tensor, threads: Int = 1) -> Pass {
    let gradients = Arena(network.layout)
    let tape = Tape(
      recordingWith: network.randomParameters(), gradients: gradients, workers: WorkerPool(threadCount: threads),
      arithmetic: network.arithmetic)
    let input = tape.input(x, needsGradient: true)
    let output = network(input, timesteps: times, on: tape)
    tape.unwind(from: output, seed: seed)
    return Pass(output: output.value, inputGradient: input.inputGradient!, gradients: gradients)
  }

  // MARK: Shifts

  /// Moves pixels down and to the right; those that leave an image return at the opposite side.
  private struct Shift: CustomStringConvertible {
    let rows: Int
    let columns: Int

    var description: String { "shifted by (\(rows), \(columns))" }

    func applied(to x: Tensor) -> Tensor {
      let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3])
      let result = Tensor(uninitialised: x.shape)
      for index in 0..<x.count {
        let (pixel, channel) = index.quotientAndRemainder(dividingBy: channels)
        let (line, column) = pixel.quotientAndRemainder(dividingBy: width)
        let (image, row) = line.quotientAndRemainder(dividingBy: height)
        let (newRow, newColumn) = ((row + rows + height) % height, (column + columns + width) % width)
        result[((image * height + newRow) * width + newColumn) * channels + channel] = x[index]
      }
      return result
    }
  }

  /// The largest |a − b| relative to the largest |b|.
  private static func difference(_ a: Tensor, _ b: Tensor) -> Double {
    guard a.shape == b.shape else { return .infinity }
    var (largest, scale) = (0.0, Double.leastNormalMagnitude)
    for (left, right) in zip(a.elements, b.elements) {
      let difference = abs(Double(left) - Double(right))
      if !difference.isFinite { return .infinity }
      largest = max(largest, difference)
      scale = max(scale, abs(Double(right)))
    }
    return largest / scale
  }
}
