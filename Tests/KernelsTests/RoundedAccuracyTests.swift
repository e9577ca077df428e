import Kernels
import Testing

/// The errors of convolutions of rounded operands and their gradients, for the shapes of the presets.
///
/// **The bound.** A number m·2^e, 1 ≤ m < 2, is rounded to a multiple of 2^(e − 7), with an error that is evenly
/// distributed up to half of that: 2⁻⁸/√3·2^e in the root mean square, at most 2⁻⁸/√3 of the number. Independent errors
/// of both factors give √2 as much for a product, and as much for a sum of independent products. The rounding of sums
/// in single precision is a thousandth of it.
@Suite struct RoundedAccuracyTests {
  private static let bound = (2.0 / 3).squareRoot() * 0x1p-8
  /// Of normal numbers, which are 1.36·2^e in the root mean square.
  private static let expected = bound / 1.36
  /// The root mean square of 300 errors varies by 4%, this many times that at most.
  private static let scatter = 5 * 0.04
  /// The maximum of some hundred errors, in units of their root mean square.
  private static let deviations = 5.0

  @Test(arguments: ConvolutionLayer.ofAllPresets)
  func resultsOfEveryLayerAreWithinTheBounds(layer: ConvolutionLayer) {
    let sample = ConvolutionSample(layer.geometry, method: .rounded)
    for (errors, what) in [
      (sample.forwardErrors(), "forward"), (sample.inputGradientErrors(), "input gradient"),
      (sample.kernelGradientErrors(), "kernel gradient"),
    ] {
      #expect(errors.rootMeanSquare <= Self.bound, "\(what)")
      #expect(abs(errors.rootMeanSquare / Self.expected - 1) < Self.scatter, "\(what)")
      #expect(errors.largest <= Self.deviations * Self.expected, "\(what)")
    }
  }
}
