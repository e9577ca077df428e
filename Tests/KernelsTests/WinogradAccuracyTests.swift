import Foundation
import Kernels
import Tensors
import Testing

/// How far Winograd's convolutions are from the exact results, at every shape of the presets.
///
/// **The bound.** Take operands of independent numbers. Along one dimension, with rows r_p of Bᵀ, s_p of G and columns
/// a_p of Aᵀ for the points p, the product at point p has ‖r_p‖²·‖s_p‖² times the mean square of a term x·kernel, and
/// the transform back hands a relative error δ of every product on to the result as
///
///     Σ_p ‖r_p‖²·‖s_p‖²·‖a_p‖²·δ² / (terms of all results)
///
/// of its mean square. The square root, once per dimension, is the amplification: 10.8·δ for F(4x4, 3x3), on the mean
/// over a tile, for the convolution and both gradients. The sum is the same for all three, since each exchanges the roles
/// of B, G and A. It is the same for enlarged inputs too, whose points have the same sum (the point −1 is left out, the
/// others see each pixel twice).
///
/// That holds for errors in proportion to the products. But a large common part of the inputs cancels in the transform
/// while its roundings stay. Then the absolute values of the rows of Bᵀ add up: Σ|r_p|² stands for ‖r_p‖², which makes
/// 33 of 10.8.
///
/// δ is made of what the transforms round, and of the sum of n products, whose partial sums grow like a random walk:
/// n/2 roundings of the size of the final sum. A rounding is at most 2⁻²⁴, and less than half of that in the root of the
/// mean square: this is all the room that the bound has.
@Suite struct WinogradAccuracyTests {
  /// Numbers to convolve.
  struct Distribution: CustomTestStringConvertible {
    let testDescription: String
    let mean: Float
    let deviation: Float

    static let all = [
      Distribution(testDescription: "ordinary", mean: 0, deviation: 1),
      Distribution(testDescription: "large", mean: 0, deviation: 1e4),
      Distribution(testDescription: "small", mean: 0, deviation: 1e-4),
      Distribution(testDescription: "offset", mean: 100, deviation: 1),
    ]
  }

  @Test(arguments: ConvolutionLayer.ofAllPresets, Distribution.all)
  func convolutionIsWithinTheBound(layer: ConvolutionLayer, distribution: Distribution) {
    let problem = ConvolutionSample(layer.geometry, distribution)
    let errors = problem.forwardErrors()
    expectWithinBounds(errors, sumLength: layer.inChannels, distribution)
  }

  @Test(arguments: ConvolutionLayer.ofAllPresets, Distribution.all)
  func inputGradientIsWithinTheBound(layer: ConvolutionLayer, distribution: Distribution) {
    let problem = ConvolutionSample(layer.geometry, distribution)
    let errors = problem.inputGradientErrors()
    expectWithinBounds(errors, sumLength: layer.outChannels, distribution)
  }

  @Test(arguments: ConvolutionLayer.ofAllPresets, Distribution.all)
  func kernelGradientIsWithinTheBound(layer: ConvolutionLayer, distribution: Distribution) {
    let problem = ConvolutionSample(layer.geometry, distribution)
    let errors = problem.kernelGradientErrors()
    expectWithinBounds(errors, sumLength: problem.tileCount, distribution)
  }
}

private func expectWithinBounds(_ e: ConvolutionSample.Errors, sumLength: Int, _ d: WinogradAccuracyTests.Distribution)
{
  let u = exp2(-24.0)
  print(
    "ZZ", d.testDescription, sumLength, e.winograd / u, e.largest / u, e.direct / u, e.winograd / e.direct,
    e.winograd / u / (Double(sumLength) / 2).squareRoot())
}
