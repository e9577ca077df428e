import Diffusion
import Testing

/// From images to latents and back.
@Suite struct EncodingTests {
  /// The solver's error of 1e-9 per step, over a thousand steps of a discrete process between which its equation is
  /// interpolated, amplified on the path from latents to images.
  static let tolerance = 1e-5

  @Test(arguments: ProcessTests.sdes + [ProcessTests.zeroTerminalSNR])
  func aRoundTripReturnsTheImage(_ named: ProcessTests.Named) throws {
    let data = GaussianMixture([
      .init(weight: 0.6, mean: [0.5, -0.5, 0.2], standardDeviation: 0.2),
      .init(weight: 0.4, mean: [-0.3, 0.4, 0], standardDeviation: 0.3),
    ])
    let denoiser = ExactDenoiser(data: data, process: named.process)
    let images = DoubleTensor(0.3 * normals([6, 3], seed: 2))
    let sampler = try ProbabilityFlowSampler(
      process: named.process, solver: .adaptive(relative: 1e-9, absolute: 1e-9), ending: .asIs)
    let latents = try sampler.encode(images, denoiser: denoiser).latents
    let back = try sampler.sample(from: latents, denoiser: denoiser, noise: SamplerNoise(seed: 0)).images
    #expect(largestDifference(images, back) < Self.tolerance)
  }

  /// Latents of the model's own data follow the prior.
  @Test func latentsOfTheDataAreStandardNormal() throws {
    let process = try VariancePreservingSDE()
    let data = GaussianMixture(mean: 0.1, standardDeviation: 0.4, size: 1)
    let denoiser = ExactDenoiser(data: data, process: process)
    let count = 4000
    let start = process.marginal(at: process.times.lowerBound)
    let spread = (start.signal * start.signal * 0.16 + start.sigma * start.sigma).squareRoot()
    let images = DoubleTensor(
      normals([count, 1], seed: 5).elements.map { start.signal * 0.1 + spread * $0 }, shape: [count, 1])
    let sampler = try ProbabilityFlowSampler(
      process: process, solver: .adaptive(relative: 1e-6, absolute: 1e-6), ending: .asIs)
    let (mean, variance) = moments(try sampler.encode(images, denoiser: denoiser).latents.elements)
    #expect(abs(mean) < 4 / Double(count).squareRoot())
    #expect(abs(variance - 1) < 4 * (2 / Double(count)).squareRoot())
  }

  @Test func interpolationKeepsEndsAndLengths() {
    let (a, b) = (normals([3, 200], seed: 1), normals([3, 200], seed: 2))
    #expect(largestDifference(sphericalInterpolation(a, b, share: 0), a) < 1e-12)
    #expect(largestDifference(sphericalInterpolation(a, b, share: 1), b) < 1e-12)
    let unit = DoubleTensor(a / a.imageNorms)
    let other = DoubleTensor(b / b.imageNorms)
    for share in [0.25, 0.5, 0.9] {
      let between = sphericalInterpolation(unit, other, share: share)
      #expect(between.imageNorms.allSatisfy { abs($0 - 1) < 1e-12 })
    }
    // The midpoint is equally far from both.
    let middle = sphericalInterpolation(unit, other, share: 0.5)
    let (first, second) = (DoubleTensor(middle - unit), DoubleTensor(middle - other))
    for (left, right) in zip(first.imageNorms, second.imageNorms) { #expect(abs(left - right) < 1e-12) }
  }

  @Test func parallelLatentsAreInterpolatedInAStraightLine() {
    let a = normals([1, 5], seed: 1)
    let b = DoubleTensor(2 * a)
    #expect(largestDifference(sphericalInterpolation(a, b, share: 0.5), DoubleTensor(1.5 * a)) < 1e-9)
  }
}
