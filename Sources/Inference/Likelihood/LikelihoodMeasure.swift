import Diffusion
import Network
import RealModule
import Tensors

/// A method of measuring the likelihood of images.
protocol LikelihoodMeasure {
  /// The names of the parts that the bits of an image consist of.
  var parts: [String] { get }

  /// - Parameter progress: called with the fraction done.
  /// - Returns: the bits per dimension of each image, split into its parts, and the number of network evaluations per
  ///   image.
  func bits(
    of images: Range<Int>, _ data: DataImages, _ denoiser: NetworkDenoiser<TrainedUNet>, progress: (Double) -> Void
  ) throws -> (bits: [Double], evaluations: Int)
}

/// All terms of the variational bound (Ho, Jain, Abbeel, arXiv:2006.11239, equation 5), each at one draw of x_t.
struct BoundMeasure: LikelihoodMeasure {
  let bound: VariationalBound
  let seed: UInt64

  let parts = ["prior", "steps", "image"]

  func bits(
    of images: Range<Int>, _ data: DataImages, _ denoiser: NetworkDenoiser<TrainedUNet>, progress: (Double) -> Void
  ) throws -> (bits: [Double], evaluations: Int) {
    let process = bound.process
    let originals = DoubleTensor(try data.images(Array(images)))
    var steps = images.map { _ in 0.0 }
    var image = steps
    for step in (0..<process.steps).reversed() {
      let marginal = process.marginals[step]
      let noise = normalNoise(
        shape: originals.shape, seed: seed, purpose: .boundNoise, step: step, firstImage: images.lowerBound)
      let x = DoubleTensor(marginal.signal * originals + marginal.sigma * DoubleTensor(noise))
      let estimate = try denoiser.estimate(
        x, at: images.map { _ in Double(step) }, images: Array(images.indices.map { $0 - images.lowerBound }))
      let terms = bound.terms(at: step, images: originals, x: x, estimate: estimate)
      if step == 0 { image = terms } else { for index in terms.indices { steps[index] += terms[index] } }
      progress(Double(process.steps - step) / Double(process.steps))
    }
    let scale = 1 / (Double(originals.imageSize) * .log(2))
    let prior = bound.priorTerms(originals)
    return (
      images.indices.map { $0 - images.lowerBound }.flatMap {
        [prior[$0] * scale, steps[$0] * scale, image[$0] * scale]
      },
      process.steps * denoiser.guidance.evaluationsPerEstimate
    )
  }
}

/// The density under the probability-flow equation, for images made continuous by uniform noise.
extension FlowLikelihood: LikelihoodMeasure {
  var parts: [String] { ["density"] }

  func bits(
    of images: Range<Int>, _ data: DataImages, _ denoiser: NetworkDenoiser<TrainedUNet>, progress: (Double) -> Void
  ) throws -> (bits: [Double], evaluations: Int) {
    let x = try data.dequantised(images, seed: seed)
    let result = try withoutActuallyEscaping(progress) { progress in
      try logDensities(of: x, denoiser: denoiser, firstImage: images.lowerBound, progress: progress)
    }
    return (
      result.logDensities.map { Self.bitsPerDimension(logDensity: $0, dimensions: x.imageSize) },
      result.evaluations * denoiser.guidance.evaluationsPerEstimate
    )
  }
}
