import Diffusion
import RealModule
import Tensors
import Testing

/// The losses `variational` and `hybrid`.
@Suite struct BoundLossTests {
  static let variancePreserving = DiscreteProcess(
    schedule: try! .linear(steps: 50, first: 1e-3, last: 0.3))
  static let varianceExploding = try! DiscreteProcess.varianceExploding(steps: 50)

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let objective: TrainingObjective
  }

  static let cases: [Case] = [("vp", variancePreserving), ("ve", varianceExploding)].flatMap { name, process in
    Prediction.allCases.flatMap { prediction in
      ReverseVariance.allCases.flatMap { variance in
        [TrainingObjective.Loss.variational, .hybrid].compactMap { loss -> Case? in
          let model = ModelDescription(
            process: process, parametrisation: .prediction(prediction), variance: variance)
          guard let objective = try? TrainingObjective(model: model, loss: loss) else { return nil }
          return Case(
            testDescription: "\(name), \(prediction), \(variance.rawValue), \(loss.rawValue)", objective: objective)
        }
      }
    }
  }

  @Test func allValidCombinationsAreTested() {
    #expect(Self.cases.count == 2 * 5 * (4 + 2))
  }

  /// Images of 256 levels, including the outermost ones, at the first step, the last, and in between.
  private func noised(_ objective: TrainingObjective) -> NoisedImages {
    let levels: [Float] = [0, 255, 1, 128, 200, 77, 0, 255]
    let images = Tensor(levels.map { $0 / 127.5 - 1 }, shape: [4, 1, 2, 1])
    let noise = Latents.draw(shape: images.shape, seed: 6, firstImage: 0)
    let times = [0.0, 1, 20, 49]
    return NoisedImages(
      input: images, original: images, noise: noise, times: times, networkTimes: times.map { Float($0) },
      weights: [1, 0.5, 2, 1])
  }

  /// The change of the output if the predicted noise changes by 1.
  private func unitOfNoise(_ objective: TrainingObjective, _ time: Double) -> Float {
    Float(1 / abs(objective.model.reading(at: time).noise.output))
  }

  /// The exact output with an error of a tenth; and log-variances between the bounds or, if unbounded, around them.
  private func output(_ objective: TrainingObjective, _ images: NoisedImages) -> Tensor {
    let model = objective.model
    let errors = Latents.draw(shape: [8, 2], seed: 7, firstImage: 0).elements
    let values = (0..<8).flatMap { element -> [Float] in
      let time = images.times[element / 2]
      let target = model.target(at: time)
      let right =
        target.original * Double(images.original.elements[element])
        + target.noise * Double(images.noise.elements[element])
      let mean = Float(right) + 0.1 * errors[2 * element] * unitOfNoise(objective, time)
      guard model.variance.isLearned else { return [mean] }
      let process = model.process.discrete!
      let large = Float(Double.log(process.transition(to: Int(time)).variance))
      return [
        mean, model.variance == .learned ? large - 0.3 + 0.2 * errors[2 * element + 1] : 0.5 * errors[2 * element + 1],
      ]
    }
    return Tensor(values, shape: [4, 1, 2, model.variance.isLearned ? 2 : 1])
  }

  /// In the hybrid loss, only the mean squared error trains the mean.
  @Test(arguments: cases)
  func gradientsAgreeWithFiniteDifferences(_ test: Case) throws {
    let objective = test.objective
    let images = noised(objective)
    let output = output(objective, images)
    let whole = objective.lossAndGradient(output: output, of: images, elementsInGlobalBatch: 16)
    let isHybrid = objective.loss == .hybrid
    let simple = try TrainingObjective(
      model: ModelDescription(process: objective.model.process, parametrisation: objective.model.parametrisation))
    for index in 0..<output.count {
      let tellsMean = output.shape[3] == 1 || index % 2 == 0
      func loss(_ value: Float) -> Double {
        let changed = output.copied()
        changed[index] = value
        guard isHybrid && tellsMean else {
          return objective.lossAndGradient(output: changed, of: images, elementsInGlobalBatch: 16).loss
        }
        let means = Tensor((0..<8).map { changed.elements[2 * $0] }, shape: [4, 1, 2, 1])
        return simple.lossAndGradient(output: means, of: images, elementsInGlobalBatch: 16).loss
      }
      // Differences with two widths, so that the second-order error cancels (Richardson).
      let unit = tellsMean ? unitOfNoise(objective, images.times[index * 4 / output.count]) : 1
      let widths = [unit * 0x1p-6, unit * 0x1p-7]
      let slopes = widths.map { width in
        let (above, below) = (output.elements[index] + width, output.elements[index] - width)
        return ((loss(above) - loss(below)) / (Double(above) - Double(below)), (Double(above) - Double(below)) / 2)
      }
      let ratio = (slopes[0].1 / slopes[1].1) * (slopes[0].1 / slopes[1].1)
      let difference = (ratio * slopes[1].0 - slopes[0].0) / (ratio - 1)
      // The loss has the rounding errors of doubles, amplified by the width, and the gradient those of floats.
      let rounding = 1e-14 * abs(whole.loss) / Double(widths[1])
      #expect(
        abs(Double(whole.gradient.elements[index]) - difference) < 2e-5 * abs(difference) + rounding + 1e-9,
        "element \(index): \(whole.gradient.elements[index]), not \(difference)")
    }
  }

  /// The loss is the bound's terms, T of each and L_T, in bits per dimension.
  @Test(arguments: cases.filter { $0.objective.loss == .variational })
  func theVariationalLossIsTheBound(_ test: Case) throws {
    let objective = test.objective
    let process = objective.model.process.discrete!
    let images = noised(objective)
    let output = output(objective, images)
    let losses = objective.lossAndGradient(output: output, of: images, elementsInGlobalBatch: 8).imageLosses
    let bound = VariationalBound(process: process, variance: objective.model.variance, clipsOriginal: false)
    let originals = DoubleTensor(images.original)
    let marginals = images.times.map { process.marginal(at: $0) }
    let x = DoubleTensor(marginals.map(\.signal) * originals + marginals.map(\.sigma) * DoubleTensor(images.noise))
    struct Told: DiffusionNetwork {
      let output: Tensor
      func output(_ x: Tensor, times: [Float], conditions: Conditions) -> Tensor { output }
    }
    let estimate = try NetworkDenoiser(network: Told(output: output), model: objective.model).estimate(
      x, at: images.times, images: [0, 1, 2, 3])
    for (image, time) in images.times.enumerated() {
      let terms = bound.terms(at: Int(time), images: originals, x: x, estimate: estimate)
      let expected = (50 * terms[image] + bound.priorTerms(originals)[image]) / (2 * Double.log(2))
      #expect(abs(losses[image] - expected) < 1e-9 * abs(expected), "at \(time)")
    }
  }

  /// For Gaussian data, the optimal variance of a reverse step is β̃ plus the uncertainty of the image; there the
  /// expected gradient of the bound with respect to the log-variance vanishes.
  @Test(arguments: [1, 10, 49])
  func optimalVarianceIsThatOfTheReverseStep(step: Int) throws {
    let process = Self.variancePreserving
    let objective = try TrainingObjective(
      model: ModelDescription(process: process, parametrisation: .prediction(.data), variance: .learned),
      loss: .variational)
    let (count, standardDeviation) = (20_000, 0.4)
    let (transition, marginal) = (process.transition(to: step), process.marginals[step])
    let remaining = 1 / (1 / (standardDeviation * standardDeviation) + marginal.signalToNoise)
    let factor = transition.posterior.original
    let best = Double.log(transition.posterior.variance + factor * factor * remaining)
    let images = Tensor(
      normals([count, 1, 1, 1], seed: 2).elements.map { Float(standardDeviation * $0) }, shape: [count, 1, 1, 1])
    let noise = Latents.draw(shape: images.shape, seed: 3, firstImage: 0)
    let times = [Double](repeating: Double(step), count: count)
    let output = Tensor(
      (0..<count).flatMap { image -> [Float] in
        let x = marginal.signal * Double(images.elements[image]) + marginal.sigma * Double(noise.elements[image])
        let original = remaining * marginal.signal / (marginal.sigma * marginal.sigma) * x
        return [Float(original), Float(best)]
      }, shape: [count, 1, 1, 2])
    let gradient = objective.lossAndGradient(
      output: output,
      of: NoisedImages(
        input: images, original: images, noise: noise, times: times, networkTimes: times.map { Float($0) }),
      elementsInGlobalBatch: count
    ).gradient.elements
    let byVariance = (0..<count).map { Double(gradient[2 * $0 + 1]) }
    let (mean, variance) = moments(byVariance)
    #expect(abs(mean) < 4 * (variance / Double(count)).squareRoot())
    #expect(variance > 0)
  }
}
