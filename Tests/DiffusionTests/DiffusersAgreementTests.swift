import Diffusion
import Foundation
import HDF5
import Tensors
import Testing

/// Agreement with diffusers' `DDPMScheduler`; the numbers are described in NetworkTests/Fixtures/README.md.
@Suite(.serialized) struct DiffusersAgreementTests {
  /// Products of up to a thousand double-precision factors, each rounded to 1.1e-16.
  static let scheduleTolerance = 1e-12

  /// A result of at most 4 in size, rounded once to single precision.
  static let stepTolerance = 4 * 0x1p-24

  static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/schedule.h5").path

  @Test func linearScheduleAgreesWithDiffusers() throws {
    let schedule = try NoiseSchedule.linear()
    for (name, actual) in [("betas", schedule.betas), ("alphas_cumprod", schedule.cumulativeAlphas)] {
      let expected = try numbers(name)
      #expect(actual.count == 1000 && expected.count == 1000)
      let error = zip(actual, expected).map { abs($0 / $1 - 1) }.max()!
      #expect(error < Self.scheduleTolerance, "\(name)")
    }
  }

  @Test(arguments: [999, 500, 1, 0])
  func posteriorVarianceAgreesWithDiffusers(step: Int) throws {
    let process = DiscreteProcess(schedule: try .linear())
    let expected = try numbers("steps/\(step)/posterior_variance")[0]
    #expect(abs(process.transition(to: step).posterior.variance - expected) <= Self.scheduleTolerance * expected)
  }

  struct Step: Sendable, CustomTestStringConvertible {
    let timestep: Int
    let variance: ReverseVariance
    let clips: Bool

    var testDescription: String { "t = \(timestep), \(variance), \(clips ? "clipped" : "not clipped")" }
  }

  static let steps = [999, 500, 1, 0].flatMap { timestep in
    [ReverseVariance.small, .large].flatMap { variance in
      [true, false].map { Step(timestep: timestep, variance: variance, clips: $0) }
    }
  }

  @Test(arguments: steps)
  func meanAndStandardDeviationOfAStepAgreeWithDiffusers(_ step: Step) throws {
    let folder = "steps/\(step.timestep)"
    let mean = try numbers("\(folder)/mean_\(step.clips ? "clipped" : "unclipped")")
    let fixed = step.variance == .small ? "fixed_small" : "fixed_large"
    let standardDeviation = try numbers("\(folder)/\(fixed)/standard_deviation")[0]
    let drawn = try afterOneStep(step, seed: 12)
    let noise = Tensor(uninitialised: [drawn.count])
    RandomStream(seed: 12, purpose: .samplerNoise, step: step.timestep, sample: 0)
      .fillNormal(noise)
    for (index, value) in drawn.enumerated() {
      let expected = mean[index] + standardDeviation * Double(noise.elements[index])
      #expect(abs(Double(value) - expected) <= Self.stepTolerance)
    }
    #expect((standardDeviation == 0) == (step.timestep == 0))
  }

  /// x_{t−1} for the fixture's x_t: the denoiser's next input, or the result if t is the last step.
  private func afterOneStep(_ step: Step, seed: UInt64) throws -> [Float] {
    let prediction = try tensor("steps/\(step.timestep)/noise_prediction")
    let latents = try tensor("steps/\(step.timestep)/x_t")
    // The process up to this step, so that sampling starts with it.
    let betas = Array(try NoiseSchedule.linear().betas.prefix(step.timestep + 1))
    let process = DiscreteProcess(schedule: try NoiseSchedule(betas: betas))
    let sampler = AncestralSampler(process: process, variance: step.variance, clipsOriginal: step.clips)
    var seen: [DoubleTensor] = []
    let denoiser = ClosureDenoiser { x, times in
      seen.append(x)
      if seen.count == 1 { #expect(times == [Double(step.timestep)]) }
      if seen.count == 2 { throw CancellationError() }
      return Estimate(noise: DoubleTensor(prediction), of: x, at: times.map { process.marginal(at: $0) })
    }
    do {
      return try sampler.sample(from: DoubleTensor(latents), denoiser: denoiser, noise: SamplerNoise(seed: seed)).images
        .elements.map(Float.init)
    } catch is CancellationError {
      return seen[1].elements.map(Float.init)
    }
  }

  private func numbers(_ name: String) throws -> [Double] {
    let file = try HDF5File.open(Self.path)
    let dataset = try file.openDataset(name)
    return try dataset.readAll(as: Double.self)
  }

  private func tensor(_ name: String) throws -> Tensor {
    let file = try HDF5File.open(Self.path)
    let dataset = try file.openDataset(name)
    return Tensor(try dataset.readAll(as: Float.self), shape: dataset.shape)
  }
}
