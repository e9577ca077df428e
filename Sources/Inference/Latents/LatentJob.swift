import Datasets
import Diffusion
import HDF5
import Images
import Jobs
import MessagePassing
import Tensors

/// From images to latents and back along the probability-flow equation, whose solutions are a one-to-one map between
/// them (Song et al., arXiv:2011.13456, section 4.3); all ranks share the images.
public struct LatentJob: Sendable {
  public enum Work: Sendable {
    /// Images of the model's data set to latents.
    case encode(DataChoice)
    /// The dataset `latents` of a file to images.
    case decode(latents: String)
    /// From one image of the data set to another, or from one random latent to another, row by row.
    case interpolate(Interpolation)
  }

  /// The first `count` images of a data set.
  public struct DataChoice: Sendable {
    public var count: Int
    public var split = DatasetSplit.test
    /// Where the data set is; by default where it was in training.
    public var path: String?

    public init(count: Int) { self.count = count }
  }

  public struct Interpolation: Sendable {
    public var rows: Int
    /// Images of a row, its ends among them.
    public var columns: Int
    /// Where the ends come from; nil for random latents.
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
  /// The HDF5 file to write.
  public var output: String?
  /// Whether to write images before they are made bytes, too.
  public var writesFloats = false
  /// A PNG file to write besides.
  public var grid: String?

  public init(_ model: ModelRequest, _ work: Work) {
    self.model = model
    self.work = work
  }

  /// Collective.
  public func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0)
    defer { reporter.finish() }
    let model = try ModelInUse(
      model, writing: [output, grid].compactMap(\.self), communicator: communicator, reporter: reporter)
    let map = try communicator.together {
      do {
        try condition.check(model.configuration)
        return LatentMap(
          model: model, description: try model.configuration.modelDescription(),
          sampler: try ProbabilityFlowSampler(
            process: try model.configuration.process(), solver: .adaptive(relative: tolerance, absolute: tolerance),
            ending: .asIs))
      } catch let error as DiffusionError {
        throw InputError("--\(error)")
      }
    }
    switch work {
    case .encode(let choice): try model.requireMemory(forImages: choice.count, copies: 4, option: "--count")
    case .interpolate(let ways):
      try model.requireMemory(forImages: ways.rows * ways.columns, copies: 3, option: "--rows x --columns")
    case .decode: break
    }
    switch work {
    case .encode(let choice): try encode(choice, map)
    case .decode(let file): try decode(file, map)
    case .interpolate(let interpolation): try interpolate(interpolation, map)
    }
    reporter.clear()
    let written = [output, grid].compactMap(\.self).joined(separator: " and ")
    reporter.message("Wrote \(written).")
  }

  // MARK: The kinds of work

  private func encode(_ choice: DataChoice, _ map: LatentMap) throws {
    let data = try map.data(choice)
    let labels = (0..<choice.count).map { data.dataset.label(of: $0) }
    let (range, count) = (map.communicator.share(of: choice.count), choice.count)
    let latents = try map.walk(.encode, count: count, labels: labels, condition) { try data.images(Array($0)) }
    let originals = try map.communicator.together { try data.images(Array(range)) }
    try write(map, count: count, labels: labels) { file, images in
      try images.write(latents.single.pointer, .float32, "latents", range, of: count, to: file)
      let bytes = quantise(originals)
      try bytes.withUnsafeBytes { try images.write($0.baseAddress, .uint8, "images", range, of: count, to: file) }
    }
    try drawGrid(map, originals, count: count)
  }

  private func decode(_ path: String, _ map: LatentMap) throws {
    let source = ImageFile(path: path, imageShape: map.model.imageShape)
    let (count, labels) = try map.communicator.together {
      let count = try source.count(of: "latents", option: "--latents")
      let stored = try source.readLabels("labels", count: count, option: "--latents")
      let labels = stored?.map { $0 < 0 ? nil : Int($0) }
      try map.requireLabels(labels, condition, in: path)
      return (count, labels ?? [Int?](repeating: nil, count: count))
    }
    try map.model.requireMemory(forImages: count, copies: 3, option: "--latents \(path):")
    let range = map.communicator.share(of: count)
    let samples = try map.walk(.decode, count: count, labels: labels, condition) {
      try source.read("latents", $0, option: "--latents")
    }.single
    try write(map, count: count, labels: labels) { file, images in
      let bytes = quantise(samples)
      try bytes.withUnsafeBytes { try images.write($0.baseAddress, .uint8, "images", range, of: count, to: file) }
      if writesFloats { try images.write(samples.pointer, .float32, "samples", range, of: count, to: file) }
    }
    try drawGrid(map, samples, count: count)
  }

  private func interpolate(_ request: Interpolation, _ map: LatentMap) throws {
    let ends = try self.ends(request, map)
    let count = request.rows * request.columns
    let shape = map.model.imageShape
    func latents(_ images: Range<Int>) -> Tensor {
      let parts = images.map { image -> DoubleTensor in
        let (row, column) = (image / request.columns, image % request.columns)
        return sphericalInterpolation(
          ends.latents.images([2 * row]), ends.latents.images([2 * row + 1]),
          share: Double(column) / Double(request.columns - 1))
      }
      return DoubleTensor(parts.flatMap(\.elements), shape: [images.count] + shape).single
    }
    let labels = (0..<count).map { ends.labels[2 * ($0 / request.columns)] }
    let range = map.communicator.share(of: count)
    let samples = try map.walk(.decode, count: count, labels: labels, condition, latents).single
    try write(map, count: count, labels: labels) { file, images in
      let bytes = quantise(samples)
      try bytes.withUnsafeBytes { try images.write($0.baseAddress, .uint8, "images", range, of: count, to: file) }
      if writesFloats {
        try images.write(samples.pointer, .float32, "samples", range, of: count, to: file)
        try images.write(latents(range).pointer, .float32, "latents", range, of: count, to: file)
      }
    }
    try drawGrid(map, samples, count: count, columns: request.columns)
  }

  /// Two latents for each row, one after the other, and the rows' classes.
  private func ends(_ request: Interpolation, _ map: LatentMap) throws -> (latents: DoubleTensor, labels: [Int?]) {
    let (count, shape) = (2 * request.rows, map.model.imageShape)
    let classCount = map.model.configuration.model.classes
    guard let choice = request.data else {
      let drawn = Latents.draw(shape: [count] + shape, seed: request.seed, firstImage: 0)
      return (DoubleTensor(drawn), (0..<count).map { end in classCount.map { end / 2 % $0 } })
    }
    let data = try map.data(choice)
    let numbers = try map.communicator.together { try data.pairs(request.rows, classCount: classCount) }
    let labels = numbers.map { data.dataset.label(of: $0) }
    let mine = try map.walk(.encode, count: count, labels: labels, condition) {
      try data.images($0.map { numbers[$0] })
    }
    return (try map.gather(mine, count: count), labels)
  }

  // MARK: Writing

  private func write(
    _ map: LatentMap, count: Int, labels: [Int?], _ datasets: (borrowing HDF5File, ImageFile) throws -> Void
  ) throws {
    guard let output else { return }
    let communicator = map.communicator
    let file = try HDF5File.create(output, communicator: communicator)
    let images = ImageFile(path: output, imageShape: map.model.imageShape)
    try datasets(file, images)
    let range = communicator.share(of: count)
    try images.write(labels[range].map { Int64($0 ?? -1) }, "labels", range, of: count, to: file)
    try file.writeAttribute("checkpoint", map.model.path)
    try file.writeAttribute("weights", model.weights.rawValue)
    try file.writeAttribute("tolerance", tolerance)
    try file.close()
  }

  private func drawGrid(_ map: LatentMap, _ share: Tensor, count: Int, columns: Int? = nil) throws {
    guard let grid else { return }
    let images = try map.gather(DoubleTensor(share), count: count).single
    try map.communicator.together {
      if map.communicator.rank == 0 { try PNG.write(sampleGrid(images, columns: columns), to: grid) }
    }
  }
}
