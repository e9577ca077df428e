import Datasets
import Diffusion
import Failures
import Files
import MessagePassing
import Reporting
import Tensors

/// Solves a model's probability-flow equation in either direction, shared among all ranks.
struct LatentMap {
  enum Direction {
    case encode
    case decode
  }

  let model: TrainedModel
  let sampler: ProbabilityFlowSampler
  /// The model's condition.
  let condition: ClassCondition
  /// The number of images that pass through the network together.
  let batchSize: Int
  let communicator: Communicator
  let reporter: RunReporter

  /// Opens the images of a data set that the model is for. Collective.
  /// - Parameters:
  ///   - condition: the model's condition.
  ///   - outputs: the outputs, which must not replace any of its files.
  func data(
    _ choice: DataChoice, _ condition: ClassCondition = .own, outputs: ImageOutputs
  ) throws -> DataImages {
    let settings = model.configuration.data
    return try communicator.together {
      if let location = DatasetCatalog.location(name: settings.name, path: choice.path ?? settings.path) {
        try checkApart(outputs: outputs.files, inputs: [NamedFile("the data set", location)])
      }
      return try DataImages(choice, for: model, condition: condition)
    }
  }

  /// A model with classes needs the labels of images that come from a file.
  func requireLabels(_ labels: [Int?]?, in path: String) throws {
    guard let count = model.configuration.model.classes, condition == .own else { return }
    let isKnown = labels?.allSatisfy { $0.map { (0..<count).contains($0) } ?? false } ?? false
    if !isKnown {
      throw InputError(
        "--latents \(path): this model has \(count) classes, so a dataset `labels`, int64 [N], is needed; or give one class with "
          + "--class")
    }
  }

  /// Solves the equation for this rank's share of `count` images, and passes on each batch when it is done. Collective.
  /// - Parameters:
  ///   - labels: returns the classes of a range of images.
  ///   - start: returns the starting points of a range of images, [range.count, H, W, C]; like `take` it must not
  ///     communicate.
  ///   - take: called for each batch in order.
  /// - Throws: `JobFailure` on all ranks if a result is not finite, or a closure throws on any.
  func walk(
    _ direction: Direction, count: Int, labels: (Range<Int>) throws -> [Int?],
    from start: (Range<Int>) throws -> Tensor,
    take: (ImageBatch) throws -> Void
  ) throws {
    let batches = communicator.batches(of: count, size: batchSize)
    // An image may prove to be damaged on one rank.
    try communicator.together {
      for (number, range) in batches.enumerated() {
        let (labels, start) = (try labels(range), try start(range))
        let end = try follow(direction, DoubleTensor(start), labels) { percent in
          let progress = SamplingProgress(
            direction == .encode ? "encoding" : "decoding", imageCount: count, step: 100 * number + percent,
            stepCount: 100 * batches.count)
          reporter.show(progress, isMilestone: false)
        }.single
        let (images, latents) = direction == .encode ? (start, end) : (end, start)
        try take(ImageBatch(numbers: range, images: images, latents: latents, labels: labels))
      }
    }
  }

  /// Solves the equation for some images, on this rank alone.
  /// - Parameter progress: called with the percentage done.
  /// - Throws: `RunError` if a result is not finite.
  func follow(
    _ direction: Direction, _ x: DoubleTensor, _ labels: [Int?],
    progress: ((Int) -> Void)? = nil
  ) throws -> DoubleTensor {
    let denoiser = model.denoiser(condition.guidance(model.configuration, labels: labels))
    let end =
      switch direction {
      case .encode: try sampler.encode(x, denoiser: denoiser, progress: { progress?($0.done) }).latents
      case .decode:
        try sampler.sample(from: x, denoiser: denoiser, noise: SamplerNoise(seed: 0), progress: { progress?($0.done) })
          .images
      }
    guard end.elements.allSatisfy(\.isFinite) else {
      throw RunError(.notFinite, "the flow's end is not finite: the weights have diverged")
    }
    return end
  }
}

extension DataImages {
  /// The indices of images that form pairs, one pair after another; pairs of the same class, class by class, if classes
  /// are used.
  /// - Throws: `InputError` if there are too few.
  func pairs(_ count: Int, classCount: Int?) throws -> [Int] {
    guard let classCount else {
      guard 2 * count <= dataset.count else {
        throw InputError("--rows is \(count), but \(dataset.count) images form only \(dataset.count / 2) pairs")
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
