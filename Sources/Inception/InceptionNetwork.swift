import Kernels
import Tensors

/// The source of a network's tensors: returns the elements of the tensor with this name and shape.
package typealias InceptionWeights = (_ name: String, _ shape: [Int]) throws -> [Float]

/// Inception-v3 in the variant that the Fréchet inception distance is defined with (Heusel et al.: "GANs trained by a
/// two time-scale update rule converge to a local Nash equilibrium", arXiv:1706.08500), as implemented in pytorch-fid;
/// for inference.
///
/// An image's features depend only on that image.
package struct InceptionNetwork: Sendable {
  /// Features of an image: the means of the last block's maps.
  package static let featureCount = 2048
  /// The number of the classifier's outputs, of which 1000 are ImageNet's classes.
  package static let logitCount = 1008
  /// The height and width that images are resized to.
  package static let side = 299

  private let stages: Chain
  private let classifier: FixedConvolution
  private let classifierWithoutBias: FixedConvolution

  /// Some blocks, and the number of images that they process together: enough to amortise reading their weights, few
  /// enough for the maps to stay in a cache.
  private struct Stage: InceptionLayer {
    let layers: Chain
    let imagesAtOnce: Int

    func outputShape(of input: MapShape) -> MapShape { layers.outputShape(of: input) }

    func callAsFunction(_ x: ImageView, into y: ImageView, workers: WorkerPool) {
      for first in stride(from: 0, to: x.images, by: imagesAtOnce) {
        let range = first..<min(first + imagesAtOnce, x.images)
        layers(x.images(range), into: y.images(range), workers: workers)
      }
    }
  }

  /// The maximum number of images that pass through all stages together.
  private static let maximumImages = 16

  /// - Parameter weights: returns each tensor of the network, by its name in pytorch-fid's module and in PyTorch's
  ///   order of dimensions: kernels [out, in, height, width], the classifier [out, in].
  /// - Throws: the errors of `weights`.
  package init(weights: InceptionWeights) throws {
    (stages, classifier, classifierWithoutBias) = try withoutActuallyEscaping(weights) { weights in
      let blocks = InceptionBlocks(weights: weights)
      let stages = Chain(
        Stage(layers: try blocks.stem(), imagesAtOnce: 1),
        Stage(
          layers: Chain(
            try blocks.a("Mixed_5b", from: 192, poolChannels: 32),
            try blocks.a("Mixed_5c", from: 256, poolChannels: 64),
            try blocks.a("Mixed_5d", from: 288, poolChannels: 64),
            try blocks.b("Mixed_6a", from: 288)),
          imagesAtOnce: 1),
        Stage(
          layers: Chain(
            try blocks.c("Mixed_6b", inner: 128), try blocks.c("Mixed_6c", inner: 160),
            try blocks.c("Mixed_6d", inner: 160), try blocks.c("Mixed_6e", inner: 192), try blocks.d("Mixed_7a")),
          imagesAtOnce: 4),
        Stage(
          layers: Chain(
            try blocks.e("Mixed_7b", from: 1280, pooling: .mean),
            try blocks.e("Mixed_7c", from: 2048, pooling: .maximum)),
          imagesAtOnce: Self.maximumImages))
      let (inputs, outputs) = (Self.featureCount, Self.logitCount)
      let matrix = try weights("fc.weight", [outputs, inputs])
      let bias = try weights("fc.bias", [outputs])
      var transposed = [Float](repeating: 0, count: matrix.count)
      for out in 0..<outputs {
        for input in 0..<inputs { transposed[input * outputs + out] = matrix[out * inputs + input] }
      }
      let classifier = FixedConvolution(
        FixedConvolution.Shape(inChannels: inputs, outChannels: outputs, kernelHeight: 1, kernelWidth: 1),
        kernel: transposed, bias: bias, rectifies: false)
      return (stages, classifier, classifier.withoutBias)
    }
  }

  /// The features of images.
  ///
  /// - Parameter images: [N, H, W, 3] or, grey, [N, H, W, 1], of any size, values from 0 to 1.
  /// - Returns: [N, 2048].
  package func features(of images: Tensor, workers: WorkerPool) -> Tensor {
    let images = ImageView(images)
    verify(images.channels == 3 || images.channels == 1, "images must be colour or grey")
    let features = Tensor(uninitialised: [images.images, Self.featureCount])
    let means = ImageView(features.reshaped([images.images, 1, 1, Self.featureCount]))
    let threads = workers.threadCount
    // If there is at least one image per thread, each thread processes whole images; otherwise all threads share an
    // image.
    let isShared = images.images < threads
    let minimumGroups = (images.images + Self.maximumImages - 1) / Self.maximumImages
    let groups = isShared ? minimumGroups : (minimumGroups + threads - 1) / threads * threads
    func compute(_ group: Int, on workers: WorkerPool) {
      let range = group * images.images / groups..<(group + 1) * images.images / groups
      computeFeatures(images.images(range), into: means.images(range), workers: workers)
    }
    if isShared {
      for group in 0..<groups { compute(group, on: workers) }
    } else {
      workers.forEach(groups) { compute($0, on: .callingThread) }
    }
    return features
  }

  private func computeFeatures(_ images: ImageView, into means: ImageView, workers: WorkerPool) {
    let resized = ImageView(images: images.images, height: Self.side, width: Self.side, channels: 3)
    // The network expects values from −1 to 1.
    BilinearResizing.resize(images, into: resized, scale: 2, offset: -1, workers: workers)
    Pooling.meanOverPixels(stages(resized, workers: workers), into: means, workers: workers)
  }

  /// The classifier's output for features.
  ///
  /// - Parameters:
  ///   - features: [N, 2048].
  ///   - hasBias: whether to add the classifier's bias; the Inception score's authors left it out.
  /// - Returns: [N, 1008].
  package func logits(of features: Tensor, hasBias: Bool = true, workers: WorkerPool) -> Tensor {
    verify(features.shape.count == 2 && features.shape[1] == Self.featureCount, "features must be [N, 2048]")
    let images = features.shape[0]
    let logits = Tensor(uninitialised: [images, Self.logitCount])
    let classifier = hasBias ? classifier : classifierWithoutBias
    classifier(
      ImageView(features.reshaped([images, 1, 1, Self.featureCount])),
      into: ImageView(logits.reshaped([images, 1, 1, Self.logitCount])), workers: workers)
    return logits
  }
}
