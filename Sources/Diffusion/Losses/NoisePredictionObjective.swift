import Tensors

/// Images with noise added, and what a network is to be told and asked about them.
public struct NoisedImages: Sendable {
  /// x_t, [N, H, W, C].
  public let noisy: Tensor
  /// ε, the network's target, shaped like `noisy`.
  public let noise: Tensor
  /// t of each image, in 0..<T.
  public let timesteps: [Int]

  /// `timesteps` as a `Denoiser` takes them.
  public var denoiserTimesteps: [Float] { timesteps.map(Float.init) }
}

/// Draws the network's inputs and targets in training (Ho et al. 2020, algorithm 1, lines 3 to 5).
public struct NoisePredictionObjective: Sendable {
  public let process: DiscreteProcess

  public init(process: DiscreteProcess) {
    self.process = process
  }

  /// For every image a step t, uniform in 0..<T, and standard normal noise ε; both depend on the seed, the optimiser
  /// step and the image's place in the global batch, on nothing else.
  /// - Parameters:
  ///   - images: x_0, [N, H, W, C], the samples `firstSample`, `firstSample` + 1 … of the global batch.
  ///   - step: the optimiser step.
  public func draw(
    images: Tensor, seed: UInt64, step: Int, firstSample: Int, workers: WorkerPool? = nil
  ) -> NoisedImages {
    let imageCount = images.shape[0]
    let timesteps = (firstSample..<firstSample + imageCount).map { sample in
      RandomStream(seed: seed, purpose: .timestep, step: step, sample: sample).integer(0, below: process.steps)
    }
    let noise = Tensor(uninitialised: images.shape)
    forEachImage(imageCount, workers) { image in
      let range = elementRange(of: image, in: noise)
      RandomStream(seed: seed, purpose: .noise, step: step, sample: firstSample + image)
        .fillNormal(noise.pointer + range.lowerBound, count: range.count)
    }
    let noisy = noised(original: images, noise: noise, timesteps: timesteps, workers: workers)
    return NoisedImages(noisy: noisy, noise: noise, timesteps: timesteps)
  }

  /// x_t = α_t·x_0 + σ_t·ε, a sample of q(x_t | x_0) (Ho et al. 2020, equation 4).
  private func noised(original: Tensor, noise: Tensor, timesteps: [Int], workers: WorkerPool?) -> Tensor {
    let result = Tensor(uninitialised: original.shape)
    let marginals = timesteps.map { process.marginals[$0] }
    forEachImage(timesteps.count, workers) { image in
      let marginal = marginals[image]
      for index in elementRange(of: image, in: original) {
        result.pointer[index] = Float(
          marginal.signal * Double(original.pointer[index]) + marginal.deviation * Double(noise.pointer[index]))
      }
    }
    return result
  }
}
