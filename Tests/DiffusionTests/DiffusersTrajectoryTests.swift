import Diffusion
import HDF5
import Tensors
import Testing

/// Samplers follow diffusers' schedulers, from the same latents with the same network and noise; Fixtures/README.md
/// lists the scheduler of each case and the deliberate differences.
@Suite(.serialized) struct DiffusersTrajectoryTests {
  /// For x up to 150 in double precision, whose relative rounding error is 1.1e-16. At low noise, 1 − ᾱ ≥ 1e-4 is
  /// computed as a difference, which turns this into 1e-12.
  static let preciseTolerance = 1e-12

  /// For images of about 1. In single precision, 1 − ᾱ ≥ 1e-4 is computed as a difference with a rounding error of
  /// 6e-8: a relative error of 6e-4 in a part of the image of size 0.01.
  static let tolerance = 1e-4

  /// For times up to 1000 that are found by their noise, whose logarithm changes by at least 2e-4 per step.
  static let timeTolerance = 1e-11

  static let cases =
    TrajectoryFixture.ordinary.configuration.cases + TrajectoryFixture.zeroTerminalSNR.configuration.cases
  static let noise = SamplerNoise(seed: TrajectoryFixture.ordinary.configuration.seed)

  @Test(arguments: cases)
  func everyStepAgreesWithDiffusersInDoublePrecision(_ test: TrajectoryCase) throws {
    let denoiser = try PreciseDenoiser(test)
    let fixture = TrajectoryFixture.file(of: test)
    let samples = try test.makeSampler().sample(
      from: try fixture.latents(test), denoiser: denoiser, noise: Self.noise, progress: nil)
    let (times, _) = try fixture.read("cases/\(test.name)/times", as: Double.self)
    let (inputs, _) = try fixture.read("cases/\(test.name)/places", as: Double.self)
    let (images, shape) = try fixture.read("cases/\(test.name)/images", as: Double.self)
    #expect(samples.images.shape == shape && samples.evaluations == times.count)
    try #require(denoiser.times.count == times.count)
    let size = samples.images.elements.count
    for (number, (time, input)) in zip(denoiser.times, denoiser.inputs).enumerated() {
      #expect(abs(time - times[number]) <= Self.timeTolerance, "evaluation \(number)")
      expectEqual(
        input, inputs[number * size..<(number + 1) * size], within: Self.preciseTolerance, "evaluation \(number)")
    }
    expectEqual(samples.images, images[...], within: Self.preciseTolerance, "images")
  }

  /// In the usual way: with networks in single precision, and diffusers in single precision as well.
  @Test(arguments: cases)
  func imagesAgreeWithDiffusersInSinglePrecision(_ test: TrajectoryCase) throws {
    let denoiser = NetworkDenoiser(
      network: FormulaNetwork(test: test), model: try test.makeModel(), clipsOriginal: test.clipsInDenoiser)
    let fixture = TrajectoryFixture.file(of: test)
    let samples = try test.makeSampler().sample(
      from: try fixture.latents(test), denoiser: denoiser, noise: Self.noise, progress: nil)
    let (images, _) = try fixture.read("cases/\(test.name)/images_in_single", as: Float.self)
    expectEqual(samples.images, images.map(Double.init)[...], within: Self.tolerance, "images")
  }

  private func expectEqual(
    _ actual: DoubleTensor, _ expected: ArraySlice<Double>, within tolerance: Double, _ what: String
  ) {
    let expected = DoubleTensor(Array(expected), shape: actual.shape)
    #expect(
      zip(actual.elements, expected.elements).allSatisfy { abs($0 - $1) <= tolerance },
      "\(what): \(largestDifference(actual, expected))")
  }

  @Test(arguments: ["linear", "quadratic", "cosine", "sigmoid"])
  func schedulesAreRescaledToEndWithoutSignal(_ name: String) throws {
    let schedule = try NoiseSchedule.named(name, first: 1e-4, last: 0.02, zeroTerminalSNR: true)
    #expect(schedule.betas.last == 1 && schedule.cumulativeAlphas.last == 0)
    let fixture = TrajectoryFixture.zeroTerminalSNR
    let betas = try fixture.read("betas/\(name)", as: Double.self).values
    #expect(betas.count == 1000)
    #expect(zip(schedule.betas, betas).allSatisfy { abs($0 - $1) <= Self.preciseTolerance })
    // Of 1 - beta, which is a ratio of products of up to 1000 factors.
    let single = try fixture.read("betas_in_single/\(name)", as: Float.self).values
    #expect(zip(schedule.betas, single).allSatisfy { abs($0 - Double($1)) <= 1e-5 })
  }

  @Test(arguments: [SamplerName.ddpm, .ddim, .dpmSolver], StepSpacing.allCases)
  func visitedStepsAgreeWithDiffusers(_ name: SamplerName, _ spacing: StepSpacing) throws {
    let folder = "timesteps/\(name.rawValue)/\(spacing.rawValue)"
    let overruns = Set(try TrajectoryFixture.ordinary.read("\(folder)/overruns", as: Int32.self).values.map(Int.init))
    #expect(spacing == .trailing || overruns.isEmpty)
    for numbers in TrajectoryFixture.ordinary.configuration.stepCounts {
      let (total, count) = (numbers[0], numbers[1])
      var expected = try TrajectoryFixture.ordinary.read("\(folder)/\(total)-\(count)", as: Int32.self).values.map(
        Int.init)
      if expected.count == count + 1 { #expect(expected.removeLast() == -1) }
      #expect(try visited(name, spacing, count, of: try process(total)) == expected, "\(count) of \(total)")
    }
    let sums = try TrajectoryFixture.ordinary.read("\(folder)/sums", as: Int32.self).values.map(Int.init)
    let process = try process(1000)
    for (index, sum) in sums.enumerated() {
      let count = index + 1
      if name == .dpmSolver && spacing != .trailing && count == 1000 {
        // diffusers visits step 999 twice, or step 0 a thousand times.
        #expect(throws: DiffusionError.self) { try visited(name, spacing, count, of: process) }
        continue
      }
      let steps = try visited(name, spacing, count, of: process)
      #expect(steps.enumerated().reduce(0) { $0 + ($1.offset + 1) * $1.element } == sum, "\(count) steps")
    }
    #expect(sums.count == 1000)
  }

  private func process(_ steps: Int) throws -> DiscreteProcess { DiscreteProcess(schedule: try .linear(steps: steps)) }

  /// Descending.
  private func visited(
    _ name: SamplerName, _ spacing: StepSpacing, _ count: Int, of process: DiscreteProcess
  ) throws -> [Int] {
    var settings = SamplerSettings()
    settings.name = name
    settings.spacing = spacing
    settings.steps = count
    switch try settings.sampler(for: process) {
    case let sampler as AncestralSampler: return sampler.visited.reversed()
    case let sampler as DDIMSampler: return sampler.visited.reversed()
    case let sampler as DPMSolverSampler: return sampler.times.map { Int($0) }
    default: throw DiffusionError(key: "sampler", problem: "\(name) visits no steps")
    }
  }
}
