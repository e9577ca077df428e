import Diffusion
import RealModule
import Tensors
import Testing

/// The time input and the input scaling of networks, as in the public code of Song et al. (arXiv:2011.13456) and of
/// Karras et al. (arXiv:2206.00364).
@Suite struct NetworkTimeTests {
  private static func describe(
    _ process: any ForwardProcess, _ signal: ModelDescription.TimeSignal, scalesInput: Bool = true
  ) -> ModelDescription {
    ModelDescription(
      process: process, parametrisation: .prediction(.score), timeSignal: signal, scalesInput: scalesInput)
  }

  @Test(arguments: [1e-5, 0.3, 1])
  func timeInputOfSinusoidalFeaturesIs999TimesTheTime(_ time: Double) throws {
    for process in [try VariancePreservingSDE(), try VariancePreservingSDE(.subVariancePreserving)]
      as [any ForwardProcess]
    {
      #expect(Self.describe(process, .linear).networkTime(at: time) == 999 * time)
      #expect(Self.describe(process, .logarithmic).networkTime(at: time) == Double.log(999 * time))
    }
  }

  @Test(arguments: [1e-5, 0.3, 1])
  func timeInputOfFourierFeaturesIsTheLogarithmOfTheNoise(_ time: Double) throws {
    let process = try VarianceExplodingSDE(sigmaMin: 0.02, sigmaMax: 100)
    let networkTime = Self.describe(process, .logarithmic).networkTime(at: time)
    #expect(abs(networkTime - Double.log(process.marginal(at: time).sigma)) < 1e-13)
    #expect(abs(Double.exp(networkTime) - 0.02 * Double.pow(5000, time)) < 1e-13 * Double.exp(networkTime))
    let edm = try EDMProcess()
    #expect(Self.describe(edm, .logarithmic).networkTime(at: 3) == Double.log(3) / 4)
  }

  @Test func timeInputOfDiscreteExplodingStepsIsTheLogarithmOfTheirNoise() throws {
    let process = try DiscreteProcess.varianceExploding(steps: 10)
    let networkTime = Self.describe(process, .logarithmic).networkTime(at: 4)
    #expect(abs(networkTime - Double.log(process.marginals[4].sigma)) < 1e-13)
  }

  @Test func rescaledTimesCorrespondToAThousandSteps() throws {
    let process = DiscreteProcess(schedule: try .cosine(steps: 4000)).rescalingNetworkTimes()
    for step in [0, 1, 1234, 3999] {
      #expect(Self.describe(process, .linear).networkTime(at: Double(step)) == Double(step) / 4)
    }
    #expect(process.marginals == DiscreteProcess(schedule: try .cosine(steps: 4000)).marginals)
    // The times of the remaining steps do not change.
    #expect(process.respaced(keeping: [2, 400, 3998]).networkTime(at: 2) == 3998.0 / 4)
    let same = try DiscreteProcess.varianceExploding(steps: 1000)
    #expect(same.rescalingNetworkTimes() == same)
  }

  @Test func unscaledInputsHaveTheFactorOne() throws {
    let process = try VarianceExplodingSDE()
    #expect(Self.describe(process, .linear, scalesInput: false).inputScale(at: 0.7) == 1)
    let sigma = process.marginal(at: 0.7).sigma
    let scale = Self.describe(process, .linear).inputScale(at: 0.7)
    #expect(abs(scale * (1 + sigma * sigma).squareRoot() - 1) < 1e-15)
    let edm = ModelDescription(
      process: try EDMProcess(), parametrisation: .preconditioned(sigmaData: 0.5), scalesInput: false)
    #expect(abs(edm.inputScale(at: 2) - 1 / 4.25.squareRoot()) < 1e-15)
  }

  /// The public loss of a network that predicts the score: the mean of (σ·score + ε)².
  @Test func scoreMatchingAgreesWithThePublicLoss() throws {
    let model = Self.describe(try VarianceExplodingSDE(sigmaMin: 0.02, sigmaMax: 100), .logarithmic, scalesInput: false)
    let objective = try TrainingObjective(model: model, loss: .scoreMatching)
    let images = Tensor([0.5, -0.25, 0.75, 1, -1, 0], shape: [2, 1, 1, 3])
    let drawn = objective.draw(images: images, seed: 3, step: 1, firstSample: 0)
    let output = Tensor([0.1, -2, 3, 0.4, 0.5, -0.6], shape: [2, 1, 1, 3])
    let result = objective.lossAndGradient(output: output, of: drawn, elementsInGlobalBatch: 6)
    var expected = 0.0
    for index in 0..<6 {
      let sigma = model.process.marginal(at: drawn.times[index / 3]).sigma
      let noise = Double(drawn.noise.elements[index])
      let error = sigma * Double(output.elements[index]) + noise
      expected += error * error / 6
      let gradient = 2 * sigma * error / 6
      #expect(abs(Double(result.gradient.elements[index]) - gradient) < 1e-6 * max(abs(gradient), 1))
      // The network's inputs are x itself and log σ.
      let noisy = Double(images.elements[index]) + sigma * noise
      #expect(abs(Double(drawn.input.elements[index]) - noisy) < 1e-6 * max(abs(noisy), 1))
      #expect(abs(Double(drawn.networkTimes[index / 3]) - Double.log(sigma)) < 1e-6)
    }
    #expect(abs(result.loss - expected) < 1e-12 * expected)
  }
}
