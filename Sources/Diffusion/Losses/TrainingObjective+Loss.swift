import RealModule
import Tensors

/// A micro-batch's contribution to the loss of the global batch.
package struct PartialLoss: Sendable {
  /// The contributions add up to the global batch's mean.
  package let loss: Double
  /// The gradient of the global batch's mean loss with respect to the network's output.
  package let gradient: Tensor
  /// The unweighted loss of each image.
  package let imageLosses: [Double]
}

extension TrainingObjective {
  /// The weight of the bound in the hybrid loss (Nichol, Dhariwal, arXiv:2102.09672, section 3.1).
  static let hybridShare = 0.001

  /// A micro-batch's contribution to the mean loss of the global batch, and its gradient. Sums are in double precision
  /// and in a fixed order.
  /// - Parameters:
  ///   - output: the network's output, [N, H, W, C], or [N, H, W, 2·C] where the variance is learned.
  ///   - elementsInGlobalBatch: the number of images in the whole batch times the elements of one image.
  package func lossAndGradient(output: Tensor, of images: NoisedImages, elementsInGlobalBatch: Int) -> PartialLoss {
    let channels = images.noise.shape[images.noise.shape.count - 1]
    let outputChannels = model.variance.isLearned ? 2 * channels : channels
    precondition(
      output.shape == images.noise.shape.dropLast() + [outputChannels],
      "an output \(output.shape) for images \(images.noise.shape)")
    precondition(elementsInGlobalBatch >= images.noise.count, "a micro-batch is part of the global batch")
    let gradient = Tensor(uninitialised: output.shape)
    let size = images.noise.count / images.noise.shape[0]
    let share = Double(size) / Double(elementsInGlobalBatch)
    var total = 0.0
    var imageLosses: [Double] = []
    for (image, time) in images.times.enumerated() {
      let factor = share * images.weights[image]
      let elements = ImageElements(
        images: images, output: output, gradient: gradient, range: image * size..<(image + 1) * size,
        channels: channels, outputChannels: outputChannels, time: time)
      let loss =
        switch self.loss {
        case .variational: bound(elements, factor: factor, reachesMean: true)
        case .hybrid:
          squares(elements, factor: factor)
            + Self.hybridShare * bound(elements, factor: Self.hybridShare * factor, reachesMean: false)
        case .simple, .edm, .scoreMatching, .likelihoodWeighted, .minimumSignalToNoise:
          squares(elements, factor: factor)
        }
      imageLosses.append(loss)
      total += factor * loss
    }
    return PartialLoss(loss: total, gradient: gradient, imageLosses: imageLosses)
  }

  /// An image's elements, and the positions of the network's output for them.
  private struct ImageElements {
    let images: NoisedImages
    let output: Tensor
    /// Overwritten with the gradient.
    let gradient: Tensor
    let range: Range<Int>
    let channels: Int
    let outputChannels: Int
    let time: Double

    func mean(_ element: Int) -> Int { element / channels * outputChannels + element % channels }
    func variance(_ element: Int) -> Int { mean(element) + channels }
  }

  /// The weighted mean squared error of the output.
  private func squares(_ elements: ImageElements, factor: Double) -> Double {
    let (images, output, gradient) = (elements.images, elements.output, elements.gradient)
    let (target, weight) = (model.target(at: elements.time), weight(at: elements.time))
    let scale = 2 * weight * factor / Double(elements.range.count)
    var sum = 0.0
    for element in elements.range {
      let right = target.original * Double(images.original[element]) + target.noise * Double(images.noise[element])
      let index = elements.mean(element)
      let difference = Double(output[index]) - right
      sum += difference * difference
      gradient[index] = Float(scale * difference)
    }
    return weight * sum / Double(elements.range.count)
  }

  /// The weight of the output's squared error.
  func weight(at time: Double) -> Double {
    switch loss {
    case .simple, .edm, .hybrid, .variational: return 1
    case .scoreMatching, .likelihoodWeighted:
      let factor = model.reading(at: time).noise.output
      return factor * factor
    case .minimumSignalToNoise:
      let factor = model.reading(at: time).original.output
      return factor * factor * min(model.process.marginal(at: time).signalToNoise, 5)
    }
  }

  /// The bound in bits per dimension, estimated from the step that was drawn.
  /// - Parameter reachesMean: whether the gradient also flows to the part of the output that predicts the mean.
  private func bound(_ elements: ImageElements, factor: Double, reachesMean: Bool) -> Double {
    guard let process = model.process.discrete else { preconditionFailure("the bound is a sum over steps") }
    let (images, output, gradient) = (elements.images, elements.output, elements.gradient)
    let step = BoundStep(process, step: Int(elements.time))
    let (marginal, reading) = (process.marginal(at: elements.time), model.reading(at: elements.time))
    let bits = 1 / (Double(elements.range.count) * .log(2))
    let scale = Double(process.steps) * bits * factor
    let meanByOutput = step.posterior.original * reading.original.output
    let logVarianceByOutput = step.bounds.slope(model.variance)
    var sum = 0.0
    for element in elements.range {
      let original = Double(images.original[element])
      let noisy = marginal.signal * original + marginal.sigma * Double(images.noise[element])
      let said = Double(output[elements.mean(element)])
      let logVariance = step.bounds.logVariance(model.variance, output: Double(output[elements.variance(element)]))
      let term = step.term(
        original: original, noisy: noisy, estimate: reading.original.noisy * noisy + reading.original.output * said,
        logVariance: logVariance)
      sum += term.value
      if reachesMean { gradient[elements.mean(element)] = Float(scale * term.byMean * meanByOutput) }
      if model.variance.isLearned {
        gradient[elements.variance(element)] = Float(scale * term.byLogVariance * logVarianceByOutput)
      }
    }
    let prior = VariationalBound.priorTerm(elements.range.lazy.map { Double(images.original[$0]) }, process)
    return (Double(process.steps) * sum + prior) * bits
  }
}
