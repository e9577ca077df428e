import Diffusion
import Jobs
import MessagePassing
import Tensors

/// A model's probability-flow equation, followed one way or the other by all ranks.
struct LatentMap {
  enum Direction {
    case encode
    case decode
  }

  let model: ModelInUse
  let description: ModelDescription
  let sampler: ProbabilityFlowSampler

  var communicator: Communicator { model.communicator }

  /// The images of a data set that the model is for. Collective.
  func data(_ choice: LatentJob.DataChoice) throws -> DataImages {
    try communicator.together {
      try DataImages(
        model.configuration, path: choice.path, split: choice.split, imageShape: model.imageShape,
        atLeast: choice.count)
    }
  }

  /// A model with classes has to know those of images that come from a file.
  func requireLabels(_ labels: [Int?]?, _ condition: ClassCondition, in path: String) throws {
    guard let count = model.configuration.model.classes, condition == .own else { return }
    let isKnown = labels?.allSatisfy { $0.map { (0..<count).contains($0) } ?? false } ?? false
    if !isKnown {
      throw InputError(
        "--latents \(path): this model has \(count) classes, so a dataset `labels`, int64 [N], is needed; or name one with "
          + "--class")
    }
  }

  /// This rank's share of `count` images, each to where the equation takes it. Collective.
  /// - Parameters:
  ///   - labels: of all images.
  ///   - start: a range of them, [range.count, H, W, C].
  /// - Throws: `JobFailure` on all ranks if a result is not finite.
  func walk(
    _ direction: Direction, count: Int, labels: [Int?], _ condition: ClassCondition,
    _ start: (Range<Int>) throws -> Tensor
  ) throws -> DoubleTensor {
    var elements: [Double] = []
    let batches = model.batches(of: count)
    // An image may turn out to be damaged on one rank.
    try communicator.together {
      for (number, range) in batches.enumerated() {
        let denoiser = NetworkDenoiser(
          network: model.trainedNetwork, model: description,
          guidance: condition.guidance(model.configuration, labels: Array(labels[range])))
        let x = DoubleTensor(try start(range))
        func report(_ percent: Int) {
          let progress = SamplingProgress(
            direction == .encode ? "encoding" : "decoding", imageCount: count, step: 100 * number + percent,
            stepCount: 100 * batches.count)
          model.reporter.show(progress, isMilestone: false)
        }
        switch direction {
        case .encode: elements += try sampler.encode(x, denoiser: denoiser, progress: report).latents.elements
        case .decode:
          elements += try sampler.sample(from: x, denoiser: denoiser, noise: SamplerNoise(seed: 0), progress: report)
            .images.elements
        }
      }
      guard elements.allSatisfy(\.isFinite) else {
        throw RunError(.notFinite, "the flow's end is not finite: the weights have diverged")
      }
    }
    return DoubleTensor(elements, shape: [communicator.share(of: count).count] + model.imageShape)
  }

  /// All images on every rank, from the shares. Collective.
  func gather(_ share: DoubleTensor, count: Int) throws -> DoubleTensor {
    let counts = (0..<communicator.size).map { communicator.share(of: count, rank: $0).count * share.imageSize }
    return DoubleTensor(
      try communicator.gatherInOrder(share.elements, counts: counts), shape: [count] + model.imageShape)
  }
}

extension DataImages {
  /// The numbers of images that make pairs, one after the other; of the same class, class by class, if classes count.
  /// - Throws: `InputError` if there are too few.
  func pairs(_ count: Int, classCount: Int?) throws -> [Int] {
    guard let classCount else {
      guard 2 * count <= dataset.count else {
        throw InputError("--rows is \(count), but \(dataset.count) images make no more than \(dataset.count / 2) pairs")
      }
      return Array(0..<2 * count)
    }
    var ofClass = [[Int]](repeating: [], count: classCount)
    for image in 0..<dataset.count {
      if let label = dataset.label(of: image) { ofClass[label].append(image) }
    }
    return try (0..<count).flatMap { row -> ArraySlice<Int> in
      let first = row / classCount * 2
      let images = ofClass[row % classCount]
      guard first + 2 <= images.count else {
        throw InputError("--rows is \(count), but class \(row % classCount) has only \(images.count) images")
      }
      return images[first..<first + 2]
    }
  }
}
