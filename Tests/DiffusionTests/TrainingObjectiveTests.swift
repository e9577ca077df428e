import Diffusion
import RealModule
import Tensors
import Testing

@Suite struct TrainingObjectiveTests {
  let objective: TrainingObjective

  init() throws {
    objective = try TrainingObjective(
      model: ModelDescription(
        process: DiscreteProcess(schedule: try .linear()), parametrisation: .prediction(.noise)))
  }

  // MARK: Drawing

  @Test func stepsOfADiscreteProcessAreUniform() {
    let imageCount = 20_000
    let images = Tensor(shape: [imageCount, 1, 1, 1])
    let times = objective.draw(images: images, seed: 5, step: 3, firstSample: 0).times
    #expect(times.allSatisfy { $0 >= 0 && $0 < 1000 && $0 == $0.rounded() })
    var counts = [Int](repeating: 0, count: 50)
    for time in times { counts[Int(time) / 20] += 1 }
    let expected = Double(imageCount) / 50
    let chiSquare = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    // 49 degrees of freedom: the 0.1st and 99.9th percentiles.
    #expect((23.9...85.4).contains(chiSquare))
  }

  @Test func drawsDependOnTheSampleAndNotOnItsMicroBatch() {
    let images = Latents.draw(shape: [6, 2, 2, 1], seed: 8, firstImage: 0)
    let whole = objective.draw(images: images, seed: 1, step: 4, firstSample: 10)
    let tail = Tensor(Array(images.elements[16...]), shape: [2, 2, 2, 1])
    let part = objective.draw(
      images: tail, seed: 1, step: 4, firstSample: 14, workers: WorkerPool(threadCount: 2))
    #expect(part.times == Array(whole.times[4...]))
    #expect(part.noise.elements == Array(whole.noise.elements[16...]))
    #expect(part.input.elements == Array(whole.input.elements[16...]))
  }

  @Test func seedStepAndSampleEachChangeTheDraw() {
    let images = Tensor(shape: [8, 1, 1, 1])
    let draws = [(1, 1, 0), (2, 1, 0), (1, 2, 0), (1, 1, 8)].map { seed, step, first in
      objective.draw(images: images, seed: UInt64(seed), step: step, firstSample: first)
    }
    #expect(Set(draws.map(\.times)).count == 4)
    #expect(Set(draws.map(\.noise.elements)).count == 4)
  }

  @Test(arguments: ProcessTests.sdes)
  func inputsAreNoisedByTheProcess(_ named: ProcessTests.Named) throws {
    let model = ModelDescription(
      process: named.process,
      parametrisation: named.process.timeIsSigma ? .preconditioned(sigmaData: 0.5) : .prediction(.noise))
    let objective = try TrainingObjective(model: model)
    let images = Latents.draw(shape: [3, 2, 2, 1], seed: 8, firstImage: 0)
    let drawn = objective.draw(images: images, seed: 1, step: 4, firstSample: 0)
    for index in 0..<images.count {
      let time = drawn.times[index / 4]
      let marginal = named.process.marginal(at: time)
      let x =
        marginal.signal * Double(images.elements[index]) + marginal.sigma * Double(drawn.noise.elements[index])
      let expected = model.inputScale(at: time) * x
      #expect(abs(Double(drawn.input.elements[index]) - expected) <= 0x1p-23 * max(1, abs(expected)))
      #expect(drawn.networkTimes[index / 4] == Float(named.process.networkTime(at: time)))
    }
  }

  /// Times of continuous processes: the cumulative probability of a time is uniformly distributed.
  @Test func timesFollowTheirDensities() throws {
    let process = try VariancePreservingSDE()
    let model = ModelDescription(process: process, parametrisation: .prediction(.noise))
    let images = Tensor(shape: [20_000, 1, 1, 1])
    let uniform = try TrainingObjective(model: model, loss: .scoreMatching)
      .draw(images: images, seed: 5, step: 3, firstSample: 0).times
    #expect(abs(moments(uniform).mean - 0.5) < 4 / (12.0 * 20_000).squareRoot() + 1e-5)
    #expect(uniform.min()! >= 1e-5 && uniform.max()! <= 1)

    // ∫ g²/σ² dt = log(e^B − 1) for the variance-preserving equation, B = ∫ β dt; its fraction is uniform.
    func integral(_ time: Double) -> Double {
      let b = time * 0.1 + time * time * 19.9 / 2
      return b + Double.log(-Double.expMinusOne(-b))
    }
    let (low, high) = (integral(1e-5), integral(1))
    let weighted = try TrainingObjective(model: model, loss: .likelihoodWeighted)
      .draw(images: images, seed: 5, step: 3, firstSample: 0).times
    var counts = [Int](repeating: 0, count: 20)
    for time in weighted { counts[min(19, Int((integral(time) - low) / (high - low) * 20))] += 1 }
    let chiSquare = counts.reduce(0.0) { $0 + (Double($1) - 1000) * (Double($1) - 1000) / 1000 }
    // 19 degrees of freedom: the 0.1st and 99.9th percentiles.
    #expect((5.4...43.8).contains(chiSquare))

    let edm = try TrainingObjective(
      model: ModelDescription(process: try EDMProcess(), parametrisation: .preconditioned(sigmaData: 0.5)),
      loss: .edm)
    let logarithms = edm.draw(images: images, seed: 5, step: 3, firstSample: 0).times.map { Double.log($0) }
    #expect(abs(moments(logarithms).mean + 1.2) < 4 * 1.2 / 20_000.0.squareRoot())
    #expect(abs(moments(logarithms).variance - 1.44) < 4 * 1.44 * (2 / 20_000.0).squareRoot())
  }

  // MARK: Loss

  private func noised(_ original: [Float], _ noise: [Float], times: [Double], _ shape: [Int]) -> NoisedImages {
    let images = Tensor(original, shape: shape)
    let drawn = objective.draw(images: images, seed: 0, step: 0, firstSample: 0)
    return NoisedImages(
      input: drawn.input, original: images, noise: Tensor(noise, shape: shape), times: times,
      networkTimes: times.map { Float($0) })
  }

  @Test func theSimpleLossIsTheMeanSquaredErrorOfTheGlobalBatch() {
    let images = noised([0, 0, 0, 0], [0, 2, 1, 7], times: [3, 800], [2, 1, 2, 1])
    let part = objective.lossAndGradient(
      output: Tensor([1, 2, 3, 4], shape: [2, 1, 2, 1]), of: images, elementsInGlobalBatch: 8)
    #expect(part.loss == 1.75)
    #expect(part.gradient.elements == [0.25, 0, 0.5, -0.75])
  }

  @Test func nanIsNotHidden() {
    let images = noised([0, 0], [0, 0], times: [3], [1, 1, 2, 1])
    let part = objective.lossAndGradient(
      output: Tensor([.nan, 1], shape: [1, 1, 2, 1]), of: images, elementsInGlobalBatch: 2)
    #expect(part.loss.isNaN)
    #expect(part.gradient.elements[0].isNaN)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let model: ModelDescription
    let loss: TrainingObjective.Loss
  }

  static let cases: [Case] = ProcessTests.sdes.flatMap { named -> [Case] in
    let isDiscrete = named.process.discrete != nil
    return TrainingObjective.Loss.allCases.flatMap { loss -> [Case] in
      var parametrisations = Prediction.allCases.filter { isDiscrete || $0 != .mean }
        .map { ModelDescription.Parametrisation.prediction($0) }
      if named.process.timeIsSigma { parametrisations = [.preconditioned(sigmaData: 0.5)] }
      // Tested in BoundLossTests.
      if loss == .variational || loss == .hybrid { return [] }
      if loss == .edm && !named.process.timeIsSigma { return [] }
      if loss == .likelihoodWeighted && (isDiscrete || named.process.timeIsSigma) { return [] }
      return parametrisations.map {
        Case(
          testDescription: "\(named.testDescription), \($0), \(loss.rawValue)",
          model: ModelDescription(process: named.process, parametrisation: $0), loss: loss)
      }
    }
  }

  @Test(arguments: cases)
  func gradientsAgreeWithFiniteDifferences(_ test: Case) throws {
    let objective = try TrainingObjective(model: test.model, loss: test.loss)
    let images = Latents.draw(shape: [3, 2, 1, 1], seed: 3, firstImage: 0)
    let drawn = objective.draw(images: images, seed: 2, step: 1, firstSample: 0)
    let output = Latents.draw(shape: images.shape, seed: 4, firstImage: 0)
    let gradient = objective.lossAndGradient(output: output, of: drawn, elementsInGlobalBatch: 12).gradient
    for index in 0..<output.count {
      let (above, below) = (output.elements[index] + 0x1p-8, output.elements[index] - 0x1p-8)
      let losses = [above, below].map { moved in
        let changed = output.copied()
        changed[index] = moved
        return objective.lossAndGradient(output: changed, of: drawn, elementsInGlobalBatch: 12).loss
      }
      // Central differences of a square are exact; the loss has double, the gradient single precision.
      let difference = (losses[0] - losses[1]) / (Double(above) - Double(below))
      let tolerance = 1e-7 * max(1, abs(difference)) + 1e-13 * losses[0] / (Double(above) - Double(below))
      #expect(abs(Double(gradient.elements[index]) - difference) < tolerance)
    }
  }

  /// Score matching is the squared error of the noise, and min-SNR that of the image, whatever the network predicts.
  @Test(arguments: cases.filter { $0.loss == .scoreMatching || $0.loss == .minimumSignalToNoise })
  func theLossIsTheSameForEveryPrediction(_ test: Case) throws {
    let objective = try TrainingObjective(model: test.model, loss: test.loss)
    let images = Latents.draw(shape: [4, 2, 1, 1], seed: 3, firstImage: 0)
    let drawn = objective.draw(images: images, seed: 2, step: 1, firstSample: 0)
    // The output for a noise error of 0.1.
    var outputs: [Float] = []
    var expected = 0.0
    for index in 0..<images.count {
      let time = drawn.times[index / 2]
      let marginal = test.model.process.marginal(at: time)
      let reading = test.model.reading(at: time)
      let noise = Double(drawn.noise.elements[index])
      let x = marginal.signal * Double(images.elements[index]) + marginal.sigma * noise
      outputs.append(Float((noise + 0.1 - reading.noise.noisy * x) / reading.noise.output))
      let imageError = marginal.sigma / marginal.signal * 0.1
      expected +=
        test.loss == .scoreMatching ? 0.01 : imageError * imageError * min(marginal.signalToNoise, 5)
    }
    let loss = objective.lossAndGradient(
      output: Tensor(outputs, shape: images.shape), of: drawn, elementsInGlobalBatch: images.count
    ).loss
    // Outputs are rounded to single precision, which is a large part of the error where they barely determine the
    // noise.
    let rounding = drawn.times.map { time in
      let reading = test.model.reading(at: time)
      return 0x1p-23 * 4 * (1 + abs(reading.noise.output) + abs(1 / reading.noise.output)) * abs(reading.noise.output)
        / 0.1
    }.max()!
    #expect(abs(loss / (expected / Double(images.count)) - 1) < max(1e-4, 100 * rounding))
  }

  @Test func lossesThatDoNotSuitTheModelAreRefused() throws {
    let discrete = objective.model
    let sde = ModelDescription(process: try VariancePreservingSDE(), parametrisation: .prediction(.mean))
    func key(_ model: ModelDescription, _ loss: TrainingObjective.Loss) -> String? {
      do { _ = try TrainingObjective(model: model, loss: loss) } catch { return error.key }
      return nil
    }
    #expect(key(discrete, .likelihoodWeighted) == "loss")
    #expect(key(discrete, .edm) == "loss")
    #expect(key(sde, .simple) == "prediction")
    let learned = ModelDescription(
      process: discrete.process, parametrisation: .prediction(.noise), variance: .learnedRange)
    #expect(key(learned, .simple) == "loss")
    #expect(key(learned, .hybrid) == nil)
    #expect(key(discrete, .hybrid) == "loss")
    let continuous = try VariancePreservingSDE()
    #expect(key(.init(process: continuous, parametrisation: .prediction(.noise)), .variational) == "loss")
    #expect(
      key(.init(process: continuous, parametrisation: .prediction(.noise), variance: .learned), .variational)
        == "variance")
  }
}
