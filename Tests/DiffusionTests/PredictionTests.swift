import Diffusion
import Tensors
import Testing

@Suite struct PredictionTests {
  /// Every parametrisation of every process recovers the image and the noise from its target.
  @Test(arguments: ProcessTests.sdes)
  func exactOutputGivesImageAndNoise(_ named: ProcessTests.Named) {
    let process = named.process
    let times = process.samplingTimes(steps: 5).dropFirst()
    let isDiscrete = process.discrete != nil
    var parametrisations = Prediction.allCases.filter { isDiscrete || $0 != .mean }
      .map { ModelDescription.Parametrisation.prediction($0) }
    parametrisations.append(.preconditioned(sigmaData: 0.5))
    for parametrisation in parametrisations {
      let model = ModelDescription(process: process, parametrisation: parametrisation)
      for time in times {
        let time = isDiscrete ? time.rounded() : time
        let marginal = process.marginal(at: time)
        let (original, noise) = (0.7, -1.3)
        let x = marginal.signal * original + marginal.sigma * noise
        let target = model.target(at: time)
        let output = target.original * original + target.noise * noise
        let reading = model.reading(at: time)
        let readOriginal = reading.original.noisy * x + reading.original.output * output
        let readNoise = reading.noise.noisy * x + reading.noise.output * output
        // If x is almost all noise, the image's part is lost to rounding, and vice versa.
        let tolerance = 1e-13 * (1 + marginal.sigma / marginal.signal + marginal.signal / marginal.sigma)
        #expect(abs(readOriginal - original) < tolerance * 10, "\(parametrisation) at \(time)")
        #expect(abs(readNoise - noise) < tolerance * 10, "\(parametrisation) at \(time)")
      }
    }
  }

  @Test func preconditioningGivesInputsAndTargetsOfUnitVariance() throws {
    let model = ModelDescription(process: try EDMProcess(), parametrisation: .preconditioned(sigmaData: 0.5))
    for sigma in [0.002, 0.1, 1, 80] {
      let scale = model.inputScale(at: sigma)
      #expect(abs(scale * scale * (0.25 + sigma * sigma) - 1) < 1e-12)
      let target = model.target(at: sigma)
      #expect(abs(target.original * target.original * 0.25 + target.noise * target.noise - 1) < 1e-9)
    }
  }

  @Test func predictedMeanIsThatOfThePosterior() throws {
    let process = DiscreteProcess(schedule: try .linear())
    let model = ModelDescription(process: process, parametrisation: .prediction(.mean))
    let posterior = process.transition(to: 400).posterior
    let marginal = process.marginals[400]
    let (original, noise) = (0.3, 0.9)
    let target = model.target(at: 400)
    let mean =
      posterior.original * original + posterior.noisy * (marginal.signal * original + marginal.sigma * noise)
    #expect(abs(target.original * original + target.noise * noise - mean) < 1e-14)
  }

  /// Predicts the same for every image.
  private struct ConstantNetwork: DiffusionNetwork {
    let value: Float

    func output(_ x: Tensor, times: [Float], conditions: Conditions) -> Tensor {
      Tensor(repeating: value, shape: x.shape)
    }
  }

  @Test func clippingTheImageAdjustsTheNoise() throws {
    let process = DiscreteProcess(schedule: try .linear())
    let model = ModelDescription(process: process, parametrisation: .prediction(.noise))
    let x = DoubleTensor([2, -0.5, 0.1], shape: [1, 3])
    let free = NetworkDenoiser(network: ConstantNetwork(value: 0.3), model: model)
    let clipped = NetworkDenoiser(network: ConstantNetwork(value: 0.3), model: model, clipsOriginal: true)
    for step in [10, 500, 990] {
      let (a, b) = (
        try free.estimate(x, at: [Double(step)], images: [0]), try clipped.estimate(x, at: [Double(step)], images: [0])
      )
      #expect(a.noise.elements.allSatisfy { abs($0 - 0.3) < 1e-7 })
      #expect(b.original == a.original.clamped(to: -1...1))
      let marginal = process.marginals[step]
      let sum = DoubleTensor(marginal.signal * b.original + marginal.sigma * b.noise)
      #expect(zip(sum.elements, x.elements).allSatisfy { abs($0 - $1) < 1e-12 })
    }
  }
}
