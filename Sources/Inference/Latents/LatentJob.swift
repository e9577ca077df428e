import Diffusion
import HDF5
import MessagePassing
import Reporting
import Tensors

/// Maps images to latents and back along the probability-flow equation, whose solutions are a one-to-one map between
/// them (Song et al., arXiv:2011.13456, section 4.3); the images are shared among all ranks.
package struct LatentJob: Sendable {
  package enum Action: Sendable {
    /// Maps images of the model's data set to latents.
    case encode(DataChoice)
    /// Maps the dataset `latents` of a file to images.
    case decode(latents: String)
    /// Interpolates between two images of the data set, or two random latents, one pair per row.
    case interpolate(Interpolation)

    /// The name of the command.
    var command: String {
      switch self {
      case .encode: "encode"
      case .decode: "decode"
      case .interpolate: "interpolate"
      }
    }
  }

  package struct Interpolation: Sendable {
    package var rows: Int
    /// The number of images in a row, including its ends.
    package var columns: Int
    /// The source of the ends; nil for random latents.
    package var data: DataChoice?
    package var seed: UInt64 = 0

    package init(rows: Int, columns: Int) {
      self.rows = rows
      self.columns = columns
    }
  }

  package var model: ModelRequest
  package var action: Action
  package var tolerance = ProbabilityFlowSampler.defaultTolerance
  package var condition = ClassCondition.own
  package var outputs = ImageOutputs()

  package init(_ model: ModelRequest, _ action: Action) {
    self.model = model
    self.action = action
  }

  /// Collective.
  package func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0)
    defer { reporter.finish() }
    let model = try TrainedModel(model, communicator: communicator, reporter: reporter)
    let map = try communicator.together { () throws -> LatentMap in
      try model.requireNoGivenChannels(action.command)
      return try namingOptions {
        try condition.check(model.configuration)
        return LatentMap(
          model: model,
          sampler: try ProbabilityFlowSampler(
            process: model.process, solver: .adaptive(relative: tolerance, absolute: tolerance), ending: .asIs),
          condition: condition, batchSize: self.model.batch, communicator: communicator, reporter: reporter)
      }
    }
    switch action {
    case .encode(let choice): try encode(choice, map)
    case .decode(let file): try decode(file, map)
    case .interpolate(let interpolation): try interpolate(interpolation, map)
    }
    reporter.clear()
    reporter.message("Wrote \(outputs.description).")
  }

  private func encode(_ choice: DataChoice, _ map: LatentMap) throws {
    let data = try map.data(choice, condition, outputs: outputs)
    try write(
      map, .encode, count: choice.count, [.latents, .labels], labels: { $0.map { data.dataset.label(of: $0) } },
      from: { try data.images(Array($0)) })
  }

  private func decode(_ path: String, _ map: LatentMap) throws {
    let source = try map.communicator.together {
      let source = try LatentFile(path, imageShape: map.model.imageShape)
      if !source.hasLabels { try map.requireLabels(nil, in: path) }
      return source
    }
    try write(
      map, .decode, count: source.count, outputs.writesFloats ? [.samples, .labels] : .labels,
      labels: { range in
        guard source.hasLabels else { return range.map { _ in nil } }
        let labels = try source.readLabels(range)
        try map.requireLabels(labels, in: path)
        return labels
      }, from: source.read)
  }

  private func interpolate(_ request: Interpolation, _ map: LatentMap) throws {
    let paths = try LatentPaths(request, map, data: request.data.map { try map.data($0, outputs: outputs) })
    try write(
      map, .decode, count: request.rows * request.columns,
      outputs.writesFloats ? [.samples, .latents, .labels] : .labels, columns: request.columns,
      labels: { $0.map { paths.label(ofRow: $0 / request.columns) } }, from: paths.latents)
  }

  /// Maps images in batches and writes them.
  /// - Parameters:
  ///   - contents: the contents of the HDF5 file besides the images.
  ///   - columns: the number of columns of the sheet.
  ///   - labels: see `LatentMap.walk`, like `start`.
  private func write(
    _ map: LatentMap, _ direction: LatentMap.Direction, count: Int, _ contents: ImageWriter.Contents,
    columns: Int? = nil, labels: (Range<Int>) throws -> [Int?], from start: (Range<Int>) throws -> Tensor
  ) throws {
    try map.communicator.together { try map.model.requireImages(for: "latents") }
    let writer = try ImageWriter(
      outputs, DrawnSet(count: count), imageShape: map.model.imageShape, contents: contents, columns: columns,
      communicator: map.communicator)
    try writer.write {
      try map.walk(direction, count: count, labels: labels, from: start, take: writer.write(_:))
    } describe: { file, _ in
      try file.writeAttribute("checkpoint", map.model.origin.checkpoint)
      try file.writeAttribute("weights", map.model.origin.weights.rawValue)
      try file.writeAttribute("tolerance", tolerance)
    }
  }
}
