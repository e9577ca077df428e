import Diffusion
import HDF5
import MessagePassing
import Reporting
import Tensors

/// Maps images to latents and back along the probability-flow equation, whose solutions are a one-to-one map between
/// them (Song et al., arXiv:2011.13456, section 4.3); the images are shared among all ranks.
public struct LatentJob: Sendable {
  public enum Work: Sendable {
    /// Maps images of the model's data set to latents.
    case encode(DataChoice)
    /// Maps the dataset `latents` of a file to images.
    case decode(latents: String)
    /// Interpolates between two images of the data set, or two random latents, one pair per row.
    case interpolate(Interpolation)
  }

  public struct Interpolation: Sendable {
    public var rows: Int
    /// The number of images in a row, including its ends.
    public var columns: Int
    /// The source of the ends; nil for random latents.
    public var data: DataChoice?
    public var seed: UInt64 = 0

    public init(rows: Int, columns: Int) {
      self.rows = rows
      self.columns = columns
    }
  }

  public var model: ModelRequest
  public var work: Work
  public var tolerance = 1e-5
  public var condition = ClassCondition.own
  public var outputs = ImageOutputs()

  public init(_ model: ModelRequest, _ work: Work) {
    self.model = model
    self.work = work
  }

  /// Collective.
  public func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0)
    defer { reporter.finish() }
    let model = try TrainedModel(model, communicator: communicator, reporter: reporter)
    let map = try communicator.together {
      try namingOptions {
        try condition.check(model.configuration)
        return LatentMap(
          model: model,
          sampler: try ProbabilityFlowSampler(
            process: model.process, solver: .adaptive(relative: tolerance, absolute: tolerance), ending: .asIs),
          condition: condition, batchSize: self.model.batch, communicator: communicator, reporter: reporter)
      }
    }
    switch work {
    case .encode(let choice): try encode(choice, map)
    case .decode(let file): try decode(file, map)
    case .interpolate(let interpolation): try interpolate(interpolation, map)
    }
    reporter.clear()
    reporter.message("Wrote \(outputs.description).")
  }

  // MARK: The kinds of work

  private func encode(_ choice: DataChoice, _ map: LatentMap) throws {
    let data = try map.data(choice, condition, outputs: outputs)
    try write(map, count: choice.count, [.latents, .labels]) { writer in
      try map.walk(
        .encode, count: choice.count,
        labels: { $0.map { data.dataset.label(of: $0) } }, from: { try data.images(Array($0)) },
        take: { range, labels, images, latents in
          try writer.write(ImageBatch(rows: range, images: images, latents: latents, labels: labels))
        })
    }
  }

  private func decode(_ path: String, _ map: LatentMap) throws {
    let source = try map.communicator.together {
      let source = try LatentFile(path, dataset: "latents", imageShape: map.model.imageShape, option: "--latents")
      if !source.hasLabels { try map.requireLabels(nil, in: path) }
      return source
    }
    let count = source.count
    try write(map, count: count, outputs.writesFloats ? [.samples, .labels] : .labels) { writer in
      try map.walk(
        .decode, count: count,
        labels: { range in
          guard source.hasLabels else { return range.map { _ in nil } }
          let labels = try source.readLabels(range)
          try map.requireLabels(labels, in: path)
          return labels
        },
        from: source.read,
        take: { range, labels, _, images in
          try writer.write(ImageBatch(rows: range, images: images, labels: labels))
        })
    }
  }

  private func interpolate(_ request: Interpolation, _ map: LatentMap) throws {
    let paths = try LatentPaths(request, map, data: request.data.map { try map.data($0, outputs: outputs) })
    try write(
      map, count: request.rows * request.columns, outputs.writesFloats ? [.samples, .latents, .labels] : .labels,
      columns: request.columns
    ) { writer in
      try map.walk(
        .decode, count: request.rows * request.columns,
        labels: { $0.map { paths.label(ofRow: $0 / request.columns) } }, from: paths.latents,
        take: { range, labels, latents, images in
          try writer.write(ImageBatch(rows: range, images: images, latents: latents, labels: labels))
        })
    }
  }

  /// - Parameters:
  ///   - contents: the contents of the HDF5 file besides the images.
  ///   - columns: the number of columns of the sheet.
  private func write(
    _ map: LatentMap, count: Int, _ contents: ImageWriter.Contents, columns: Int? = nil,
    _ body: (ImageWriter) throws -> Void
  ) throws {
    let writer = try ImageWriter(
      outputs, count: count, imageShape: map.model.imageShape, contents: contents, columns: columns,
      communicator: map.communicator)
    try writer.write(body) { file, _ in
      try file.writeAttribute("checkpoint", map.model.origin.checkpoint)
      try file.writeAttribute("weights", map.model.origin.weights.rawValue)
      try file.writeAttribute("tolerance", tolerance)
    }
  }
}
