import Foundation
import Kernels
import Testing

/// The errors of Winograd's convolutions and their gradients, for every shape of the presets.
///
/// **The bound.** In one dimension let r_p be the rows of Bᵀ, s_p those of G and a_p the columns of Aᵀ, one for each
/// point p. If operands are independent numbers, the products at point p have the mean square ‖r_p‖²·‖s_p‖², where a
/// term of the convolution has 1, and a relative error δ of all products becomes
///
///     δ·√(Σ_p ‖r_p‖²·‖s_p‖²·‖a_p‖² / 12)
///
/// of a result on average over a tile, whose 4 results have 3 terms each. In two dimensions this is `amplification`,
/// 10.8·δ. It is the same for both gradients, which exchange the roles of B, G and A, and for enlarged images, whose
/// rows r_p are longer where columns a_p are shorter. The worst corner of a tile has `worstAmplification`.
///
/// The errors of the products come from rounding their sums and from the transforms. The partial sums of n terms grow
/// like a random walk, so their n roundings have the mean square of n/2 roundings of the whole sum. The three
/// transforms contribute at most 4 roundings each in each of two dimensions. A constant added to all inputs has no
/// effect: no partial sum of Bᵀ's rows is then larger than ‖r_p‖ times that constant. A rounding is at most 2⁻²⁴, and
/// about 0.41 of that in the root mean square; this is the margin of the bound.
@Suite struct WinogradAccuracyTests {
  /// Numbers to convolve: normal, with this mean and standard deviation.
  struct Distribution: CustomTestStringConvertible {
    let testDescription: String
    let mean: Float
    let standardDeviation: Float

    static let all = [
      Distribution(testDescription: "ordinary", mean: 0, standardDeviation: 1),
      Distribution(testDescription: "large", mean: 0, standardDeviation: 1e4),
      Distribution(testDescription: "small", mean: 0, standardDeviation: 1e-4),
      Distribution(testDescription: "offset", mean: 100, standardDeviation: 1),
    ]
  }

  @Test(arguments: ConvolutionLayer.ofAllPresets)
  func resultsOfEveryLayerAreWithinTheBounds(layer: ConvolutionLayer) {
    let sample = ConvolutionSample(layer.geometry)
    for distribution in Distribution.all {
      let inputs = sample.drawn(from: distribution)
      expectWithinBounds(inputs.forwardErrors(), sumLength: layer.inChannels, "forward, \(distribution)")
      expectWithinBounds(inputs.inputGradientErrors(), sumLength: layer.outChannels, "input gradient, \(distribution)")
      expectWithinBounds(inputs.kernelGradientErrors(), sumLength: sample.tileCount, "kernel gradient, \(distribution)")
    }
  }

  /// A micro-batch's sum extends over many blocks of tiles.
  @Test func kernelGradientOfManyImagesIsWithinTheBounds() {
    let layer = ConvolutionLayer(size: 32, inChannels: 32, outChannels: 32)
    let sample = ConvolutionSample(layer.geometry(images: 32))
    expectWithinBounds(sample.kernelGradientErrors(), sumLength: sample.tileCount, "kernel gradient")
  }

  @Test func layersOfAllPresetsAreFound() {
    let layers = ConvolutionLayer.ofAllPresets
    // Some at the ends of the list, and some whose level a wrong rule for names would get wrong.
    for (size, inChannels, outChannels) in [
      (32, 3, 128), (32, 384, 128), (16, 384, 256), (4, 512, 256), (32, 32, 1), (64, 192, 6), (8, 1536, 768),
    ] {
      #expect(layers.contains(ConvolutionLayer(size: size, inChannels: inChannels, outChannels: outChannels)))
    }
    for size in [8, 16, 32] {
      #expect(layers.contains(ConvolutionLayer(size: size, inChannels: 256, outChannels: 256, enlargesInput: true)))
    }
    // Four each at 32x32 and 16x16, two each at 8x8 and 4x4, and the three that enlarge.
    #expect(layers.filter { $0.outChannels == 256 }.count == 15)
  }

  @Test func amplificationIsThatOfTheTransforms() {
    #expect(abs(Self.amplification - 10.77) < 0.01)
    #expect(abs(Self.worstAmplification - 31.44) < 0.01)
  }

  // The matrices of F(4, 3) (Lavin and Gray, arXiv:1509.09308, section 4.1).
  private static let inputRows: [[Double]] = [
    [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
  ]
  private static let kernelRows: [[Double]] = [
    [1.0 / 4, 0, 0], [-1.0 / 6, -1.0 / 6, -1.0 / 6], [-1.0 / 6, 1.0 / 6, -1.0 / 6], [1.0 / 24, 1.0 / 12, 1.0 / 6],
    [1.0 / 24, -1.0 / 12, 1.0 / 6], [0, 0, 1],
  ]
  private static let outputRows: [[Double]] = [
    [1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1],
  ]

  /// For each output of a tile in one dimension: the mean square of an error δ = 1 relative to the output's.
  private static let squares: [Double] = {
    func square(_ row: [Double]) -> Double { row.reduce(0) { $0 + $1 * $1 } }
    return outputRows.map { row in
      row.indices.reduce(0) { $0 + row[$1] * row[$1] * square(inputRows[$1]) * square(kernelRows[$1]) } / 3
    }
  }()
  /// The root mean square in two dimensions.
  private static let amplification = squares.reduce(0, +) / 4
  private static let worstAmplification = squares.max()!

  /// Six applications of transforms with at most four roundings each.
  private static let transformRoundings = 24.0
  /// The maximum of some hundred errors, in units of their root mean square.
  private static let deviations = 5.0
  /// Root mean squares of samples vary: a sixteenth of the elements, the far corners of tiles, contributes most of
  /// them.
  private static let scatter = 2.0

  private func expectWithinBounds(_ errors: ConvolutionSample.Errors, sumLength: Int, _ what: Comment) {
    let roundings = Double(sumLength) / 2 + Self.transformRoundings
    let bound = roundings.squareRoot() * exp2(-24)
    #expect(errors.rootMeanSquare <= Self.amplification * bound, what)
    #expect(errors.largest <= Self.deviations * Self.worstAmplification * bound, what)
    // The direct sum's partial sums are random walks too.
    let ratio = (roundings / (errors.termCount / 2)).squareRoot()
    #expect(errors.rootMeanSquare <= Self.scatter * Self.amplification * ratio * errors.direct, what)
  }
}
