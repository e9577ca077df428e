import Diffusion
import RealModule
import Tensors
import Testing

@Suite struct RestorationMethodTests {
  static let data = CorrelatedGaussian(imageShape: [4, 4, 1])

  static func mask() throws -> MaskOperator {
    try MaskOperator(isKnown: (0..<16).map { [0, 3, 5, 10].contains($0) }, imageShape: [4, 4, 1])
  }

  private static func settings(_ name: RestorationName) -> RestorationSettings {
    var settings = RestorationSettings()
    settings.name = name
    settings.steps = 20
    settings.jumpLength = 4
    settings.resamplings = 2
    settings.scale = 0.3
    settings.clipsOriginal = false
    // A stochastic one.
    settings.sampler = .ddpm
    return settings
  }

  /// Whatever the other members and measurements of its batch are.
  @Test(arguments: RestorationName.allCases)
  func aDrawDependsOnSeedAndNumbersOnly(_ name: RestorationName) throws {
    let process = DiscreteProcess(schedule: try .linear())
    let denoiser = CorrelatedDenoiser(data: Self.data, process: process)
    let method = try Self.settings(name).method(for: process)
    let forward = try Self.mask()
    let truth = Self.data.draw(3, seed: 2)
    let measurement = try Measurement(forward.apply(truth), of: forward)
    let together = try method.restore(measurement, members: 0..<3, firstImage: 7, seed: 5, denoiser: denoiser).images
    #expect(together.shape == [9, 4, 4, 1])
    for image in 0..<3 {
      let alone = try Measurement(forward.apply(truth.images([image])), of: forward)
      let (first, others) = (
        try method.restore(alone, members: 0..<1, firstImage: 7 + image, seed: 5, denoiser: denoiser).images,
        try method.restore(alone, members: 1..<3, firstImage: 7 + image, seed: 5, denoiser: denoiser).images
      )
      #expect(first == together.images([3 * image]))
      #expect(others == together.images([3 * image + 1, 3 * image + 2]))
    }
    // All members differ, and another seed gives other ones.
    let unknown = stride(from: 1, to: together.elements.count, by: 16).map { together.elements[$0] }
    #expect(Set(unknown).count == 9)
    #expect(
      try method.restore(measurement, members: 0..<3, firstImage: 7, seed: 6, denoiser: denoiser).images != together)
  }

  /// Member 0 has the latents and the noise of an image without members.
  @Test func theFirstMemberIsTheImageOfThatIndex() throws {
    let draws = [DrawNumber(image: 4), DrawNumber(image: 5)]
    #expect(
      Latents.draw(shape: [2, 3], seed: 1, draws: draws).elements
        == Latents.draw(shape: [2, 3], seed: 1, firstImage: 4).elements)
    let process = DiscreteProcess(schedule: try .linear())
    let sampler = AncestralSampler(process: process, visiting: [0, 300, 999])
    let denoiser = CorrelatedDenoiser(data: Self.data, process: process)
    let latents = normals([2, 4, 4, 1], seed: 3)
    func images(_ noise: SamplerNoise) throws -> DoubleTensor {
      try sampler.sample(from: latents, denoiser: denoiser, noise: noise).images
    }
    #expect(try images(SamplerNoise(seed: 2, draws: draws)) == images(SamplerNoise(seed: 2, firstImage: 4)))
  }

  struct Meeting: Sendable, CustomTestStringConvertible {
    let name: RestorationName
    let forward: any MeasurementOperator

    var testDescription: String { "\(name), \(type(of: forward))" }
  }

  static let meetings: [Meeting] = [RestorationName.imputation, .repaint, .pigdm].flatMap { name in
    let operators: [any MeasurementOperator] = [
      try! mask(), try! CoarseOperator(factor: 2, imageShape: [4, 4, 1]),
      try! ChannelsOperator(allOf: [4, 4, 1]), try! GreyOperator(imageShape: [2, 2, 3]),
      try! ChannelsOperator(channels: [1], imageShape: [2, 2, 3]),
    ]
    return operators.map { Meeting(name: name, forward: $0) }
  }

  /// By the methods that promise it.
  @Test(arguments: meetings)
  func exactMeasurementsAreMet(_ test: Meeting) throws {
    let data = CorrelatedGaussian(imageShape: test.forward.imageShape)
    let process = DiscreteProcess(schedule: try .linear())
    let y = test.forward.apply(data.draw(2, seed: 2))
    let images = try Self.settings(test.name).method(for: process).restore(
      Measurement(y, of: test.forward), members: 0..<2, seed: 1,
      denoiser: CorrelatedDenoiser(data: data, process: process)
    ).images
    // Rounding errors of numbers of about 1.
    #expect(largestDifference(test.forward.apply(images), y.images([0, 0, 1, 1])) < 1e-12)
  }

  @Test func jumpsOfRePaintAreThoseOfItsSchedule() throws {
    let process = DiscreteProcess(schedule: try .linear(steps: 7))
    /// The number of the noisiest step on x before each move, and after the last one: −1 for none.
    func levels(_ jumpLength: Int, _ resamplings: Int) throws -> [Int] {
      let method = try RePaint(
        process: process, visiting: Array(0..<7), variance: .small, jumpLength: jumpLength, resamplings: resamplings)
      return method.moves.reduce(into: [6]) { levels, move in
        switch move {
        case .denoise(let index): levels.append(index - 1)
        case .addNoise(let index): levels.append(index)
        }
      }
    }
    // As the authors' get_schedule_jump(7, n_sample=1, jump_length=3, jump_n_sample=2) goes, and −1 at the end.
    #expect(try levels(3, 2) == [6, 5, 4, 3, 4, 5, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, -1])
    #expect(try levels(3, 1) == [6, 5, 4, 3, 2, 1, 0, -1])
    #expect(try levels(7, 5) == [6, 5, 4, 3, 2, 1, 0, -1])
  }

  /// Without resampling, RePaint's unknown part is ancestral sampling's if nothing depends on the known one.
  @Test func withoutCorrelationsTheUnknownPartIsThePrior() throws {
    let process = DiscreteProcess(schedule: try .linear())
    let white = CorrelatedGaussian(imageShape: [4, 4, 1], smoothness: 0)
    let denoiser = CorrelatedDenoiser(data: white, process: process)
    let forward = try Self.mask()
    let visited = try StepSpacing.linspace.steps(30, of: 1000)
    let latents = normals([2, 4, 4, 1], seed: 3)
    let restored = try RePaint(
      process: process, visiting: visited, variance: .large, jumpLength: 30, resamplings: 1, clipsOriginal: false
    ).restore(
      Measurement(forward.apply(white.draw(2, seed: 2)), of: forward), from: latents, denoiser: denoiser,
      noise: SamplerNoise(seed: 4))
    #expect(restored.evaluations == 30)
    let free = RePaintTwin(process: process, visited: visited).images(latents, denoiser, seed: 4)
    for element in restored.images.elements.indices where !forward.known.contains(element % 16) {
      #expect(abs(restored.images.elements[element] - free.elements[element]) < 1e-12)
    }
  }

  @Test func guidesAreChangedMoreTheStrongerTheEdit() throws {
    let process = DiscreteProcess(schedule: try .linear())
    let denoiser = CorrelatedDenoiser(data: Self.data, process: process)
    let guide = DoubleTensor(2 * Self.data.draw(20, seed: 2))
    let all = try ChannelsOperator(allOf: [4, 4, 1])
    let distances = try [0.05, 0.3, 1].map { strength in
      var settings = Self.settings(.sdedit)
      settings.steps = 100
      settings.strength = strength
      let images = try settings.method(for: process).restore(
        Measurement(guide, of: all), members: 0..<1, seed: 1, denoiser: denoiser
      ).images
      return DoubleTensor(images - guide).imageNorms.reduce(0, +)
    }
    #expect(distances[0] < distances[1] && distances[1] < distances[2], "\(distances)")
  }

  @Test func impossibleSettingsAreNamed() throws {
    let discrete = DiscreteProcess(schedule: try .linear(steps: 100))
    func key(_ process: any ForwardProcess, _ change: (inout RestorationSettings) -> Void) -> String? {
      var settings = RestorationSettings()
      settings.steps = 20
      change(&settings)
      do { _ = try settings.method(for: process, variance: .learned) } catch { return error.key }
      return nil
    }
    func setting<Value>(
      _ name: RestorationName, _ path: WritableKeyPath<RestorationSettings, Value>, _ value: Value
    ) -> String? {
      key(discrete) {
        $0.name = name
        $0[keyPath: path] = value
      }
    }
    for name in RestorationName.allCases { #expect(setting(name, \.steps, 0) == "steps") }
    #expect(setting(.imputation, \.corrections, -1) == "corrections")
    #expect(setting(.imputation, \.corrections, 101) == "corrections")
    #expect(setting(.imputation, \.signalToNoise, 0) == "snr")
    #expect(setting(.repaint, \.jumpLength, 0) == "jump_length")
    #expect(setting(.repaint, \.jumpLength, 21) == "jump_length")
    #expect(setting(.repaint, \.resamplings, 0) == "resamplings")
    #expect(setting(.repaint, \.variance, .learnedRange) == "variance")
    #expect(setting(.dps, \.variance, .learned) == "variance")
    #expect(setting(.dps, \.scale, -1) == "scale")
    #expect(setting(.pigdm, \.sigmaData, .nan) == "sigma_data")
    #expect(setting(.pigdm, \.iterations, -1) == "iterations")
    #expect(setting(.pigdm, \.iterations, 1001) == "iterations")
    for iterations in [0, 1000] { #expect(setting(.pigdm, \.iterations, iterations) == nil) }
    #expect(setting(.sdedit, \.strength, 0) == "strength")
    #expect(setting(.sdedit, \.strength, 1.1) == "strength")
    #expect(key(try VariancePreservingSDE()) { $0.name = .repaint } == "method")
    for name in RestorationName.allCases { #expect(setting(name, \.steps, 20) == nil) }
  }

  @Test func everyOptionIsForSomeMethod() {
    let all = RestorationName.allCases.reduce(into: Set<RestorationOption>()) { $0.formUnion($1.options) }
    #expect(all == Set(RestorationOption.allCases))
  }

  @Test func measurementsThatAMethodCannotUseAreRefused() throws {
    let process = DiscreteProcess(schedule: try .linear())
    let denoiser = CorrelatedDenoiser(data: Self.data, process: process)
    let mask = try Self.mask()
    let blur = try BlurOperator(sigma: 1, imageShape: [4, 4, 1])
    func key(
      _ name: RestorationName, _ forward: any MeasurementOperator, noise: Double, members: Range<Int> = 0..<1
    ) throws -> String? {
      let y = forward.apply(Self.data.draw(1, seed: 2))
      do {
        _ = try Self.settings(name).method(for: process).restore(
          Measurement(y, of: forward, noise: noise), members: members, seed: 1, denoiser: denoiser)
      } catch let error as DiffusionError { return error.key }
      return nil
    }
    for name in RestorationName.allCases {
      #expect(try key(name, mask, noise: 0.1) == (name.acceptsNoise ? nil : "noise"), "\(name)")
      #expect(try key(name, blur, noise: 0) == (name == .dps ? nil : "operator"), "\(name)")
      #expect(try key(name, mask, noise: 0, members: 0..<0) == "members")
      #expect(try key(name, mask, noise: 0, members: 65_536..<65_537) == "members")
    }
    #expect(try key(.pigdm, blur, noise: 0.1) == nil)
  }
}

/// Ancestral sampling with RePaint's noise for the unknown part, plainly.
private struct RePaintTwin {
  let process: DiscreteProcess
  let visited: [Int]

  func images(_ latents: DoubleTensor, _ denoiser: CorrelatedDenoiser, seed: UInt64) -> DoubleTensor {
    var x = latents
    for (move, index) in visited.indices.reversed().enumerated() {
      let (now, before) = (
        process.marginals[visited[index]], index > 0 ? process.marginals[visited[index - 1]] : .clean
      )
      let times = [Double](repeating: Double(visited[index]), count: x.imageCount)
      let noise = denoiser.estimate(x, at: times, images: []).noise
      // Algorithm 1, lines 7 and 8, with β = 1 − α and α = ᾱ_t/ᾱ_{t−1} of the visited steps.
      let alpha = Double.pow(now.signal / before.signal, 2)
      let mean = DoubleTensor(x / alpha.squareRoot() - (1 - alpha) / now.sigma / alpha.squareRoot() * noise)
      let z = DoubleTensor(
        normalNoise(shape: x.shape, seed: seed, purpose: .samplerNoise, step: move, firstImage: 0))
      x = index == 0 ? mean : DoubleTensor(mean + (1 - alpha).squareRoot() * z)
    }
    return x
  }
}
