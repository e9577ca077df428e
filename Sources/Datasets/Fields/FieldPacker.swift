import Compression
import Files
import HDF5
import Tensors
import TextFormatting

/// Writes a file of `PackedFields` piece by piece, so that fields of any size can be packed.
package struct FieldPacker {
  package var name: String
  package let training: JoinedFields
  package let test: JoinedFields?
  package let recipe: FieldRecipe
  /// Those of the result.
  package let coordinates: FieldCoordinates
  private let frame: FieldFrame

  /// The approximate number of bytes of fields held at once.
  private static let pieceSize = 1 << 24
  /// The maximum, if more samples are stored together in the source.
  private static let largestPieceSize = 1 << 28

  /// - Parameter memory: the bytes that may be allocated; nil if unknown.
  /// - Throws: `DatasetError` if the fields do not fit the recipe, a sample does not fit in memory, the test fields
  ///   differ in grid or channels, or a channel has a name that the files of drawn fields cannot have.
  package init(
    name: String, training: JoinedFields, test: JoinedFields? = nil, recipe: FieldRecipe = FieldRecipe(),
    memory: Int? = nil
  ) throws(DatasetError) {
    self.name = name
    self.training = training
    self.test = test
    self.recipe = recipe
    if let test { try JoinedFields.requireAlike(test, training) }
    try Self.require(memory, for: training, recipe)
    frame = try recipe.frame(height: training.height, width: training.width)
    coordinates = frame.coordinates(training.coordinates).withUsableNames()
    try FieldNames.check(training.channels.map(\.name), axes: coordinates.names, training.path)
  }

  /// - Throws: `DatasetError` if packing needs more bytes than there are.
  private static func require(
    _ memory: Int?, for fields: JoinedFields, _ recipe: FieldRecipe
  ) throws(DatasetError) {
    let (height, width, channels) = (fields.height, fields.width, fields.channels.count)
    let size = try recipe.size(height: height, width: width)
    let needed = recipe.memory(height: height, width: width, size: size, channels: channels)
    // A process cannot address more than 2⁴⁷ bytes, and the sizes of larger samples could overflow.
    let available = Double(min(memory ?? .max, 1 << 47))
    guard needed > available else { return }
    func text(_ bytes: Double) -> String { String(printf: "%.1f GiB", bytes / 0x1p30) }
    throw DatasetError(
      .tooLarge, recipe.pad == nil ? fields.path : "--pad",
      "packing fields of \(size.height)x\(size.width) with \(channels) channel\(channels == 1 ? "" : "s") takes at "
        + "least \(text(needed)) of memory, but \(text(available)) are available",
      advice: recipe.pad == nil
        ? "pack fewer variables at once (--variables), or use a machine with more memory"
        : "choose a smaller size, or pack fewer variables at once (--variables)")
  }

  /// [H, W] of the result.
  package var gridShape: [Int] { [frame.height, frame.width] }

  /// The number of samples that are read, those that are read twice included.
  package var readCount: Int {
    (training.count + (test?.count ?? 0)) * (recipe.missing == .mask ? 2 : 1)
  }

  /// Writes a file that appears completely or not at all: under a temporary name, flushed to the disk, then renamed.
  /// Only the thread that calls libhdf5 may call this.
  ///
  /// - Parameters:
  ///   - path: the file; an existing one is replaced.
  ///   - progress: called with the number of samples read so far, of `readCount`.
  /// - Returns: the channels of the file.
  /// - Throws: `DatasetError` for fields that cannot be read, or have missing values that the recipe refuses;
  ///   `PackingError` or `FileError` for a file that cannot be written.
  package func write(
    to path: String, workers: WorkerPool, progress: (Int) -> Void = { _ in }
  ) throws -> [FieldVariable] {
    var variables: [FieldVariable] = []
    try OutputFile(path).write { variables = try write(path, inPlace: $0, workers, progress) }
    return variables
  }

  /// - Parameters:
  ///   - path: what messages call the file.
  ///   - temporaryPath: where it is written.
  private func write(
    _ path: String, inPlace temporaryPath: String, _ workers: WorkerPool, _ progress: (Int) -> Void
  ) throws -> [FieldVariable] {
    var done = 0
    func count(_ samples: Int) {
      done += samples
      progress(done)
    }
    let preparation = try preparation(workers, didRead: count)
    let channels = preparation.channels(training.channels)
    try FieldNames.check(channels.map(\.name), axes: coordinates.names, training.path)
    let variables: [FieldVariable]
    do {
      let file = try HDF5File.create(temporaryPath)
      var ranges: [Range<Int>] = []
      let statistics = try write(training, "", preparation, to: file, workers, &ranges, didRead: count)
      variables = zip(channels, statistics).map { channel, statistics in
        FieldVariable(
          name: channel.name, units: channel.units, mean: statistics.mean,
          standardDeviation: statistics.standardDeviation, minimum: statistics.minimum, maximum: statistics.maximum,
          longName: channel.longName)
      }
      if let test { _ = try write(test, "test/", preparation, to: file, workers, &ranges, didRead: count) }
      try write(variables, coordinates, to: file)
      try file.close()
      try FileSeal.add(to: temporaryPath, contents: ranges)
    } catch let error as HDF5Error {
      throw PackingError(path: path, problem: "\(error.message) (\(error.call))")
    }
    return variables
  }

  /// How each sample is made. For masks, all samples are read to find which channels need one, and the means.
  private func preparation(_ workers: WorkerPool, didRead: (Int) -> Void) throws -> FieldPreparation {
    let positions = frame.positions()
    func make(_ masked: [Int], _ means: [Double]) -> FieldPreparation {
      FieldPreparation(
        frame: frame, positions: positions, masked: masked, coarse: recipe.coarse, fillings: means.map { Float($0) })
    }
    let channels = training.channels
    let plain = make([], channels.map { _ in 0 })
    guard recipe.missing == .mask else { return plain }
    func survey(_ fields: JoinedFields) throws -> [FieldStatistics] {
      var total = channels.map { _ in FieldStatistics() }
      try forEachPiece(of: fields) { samples, values in
        for sample in workers.map(samples.count, { plain.survey(values[image: $0]) }) {
          for channel in channels.indices { total[channel].merge(sample[channel]) }
        }
        didRead(samples.count)
      }
      return total
    }
    let statistics = try survey(training)
    if let channel = channels.indices.first(where: { statistics[$0].count == 0 }) {
      throw DatasetError(
        .missingValues, training.path, "all values of \(channels[channel].name) are missing",
        advice: "choose other variables with --variables")
    }
    let testStatistics = try test.map(survey)
    let masked = channels.indices.filter { channel in
      statistics[channel].missing > 0 || testStatistics.map { $0[channel].missing > 0 } ?? false
    }
    return make(masked, statistics.map(\.mean))
  }

  /// Writes the samples of a part and their checksums.
  /// - Returns: the statistics of each channel of the result.
  private func write(
    _ fields: JoinedFields, _ group: String, _ preparation: FieldPreparation, to file: borrowing HDF5File,
    _ workers: WorkerPool, _ ranges: inout [Range<Int>], didRead: (Int) -> Void
  ) throws -> [FieldStatistics] {
    let sourceCount = fields.channels.count
    let channelCount = preparation.channels(fields.channels).count
    let shape = [frame.height, frame.width, channelCount]
    let size = shape.reduce(1, *)
    let dataset = try file.createDataset("\(group)fields", shape: [fields.count] + shape, type: .float32)
    let result = Tensor(uninitialised: [piece(fields)] + shape)
    var total = [FieldStatistics](repeating: FieldStatistics(), count: channelCount)
    var missing = MissingValues(channels: sourceCount)
    var checksums: [UInt32] = []
    try forEachPiece(of: fields) { samples, values in
      let prepared = workers.map(samples.count) { offset in
        let (source, target) = (values[image: offset], result[image: offset])
        preparation.apply(to: source, target)
        let added = (sourceCount..<channelCount).map { channel in
          FieldStatistics(count: frame.height * frame.width) { target[$0 * channelCount + channel] }
        }
        return (
          statistics: preparation.survey(source) + added, checksum: target.withUnsafeBytes { crc32($0) }
        )
      }
      for (offset, sample) in prepared.enumerated() {
        for channel in 0..<channelCount { total[channel].merge(sample.statistics[channel]) }
        missing.add(sample.statistics, sample: samples.lowerBound + offset)
        checksums.append(sample.checksum)
      }
      // Nothing more is written once it is known that the file will not be kept.
      if recipe.missing == .mask || missing.first == nil {
        try dataset.write(
          flatRanges: [samples.lowerBound * size..<samples.upperBound * size], from: result[0..<samples.count])
      }
      didRead(samples.count)
    }
    if recipe.missing == .refuse, let error = missing.error(fields, frame) { throw error }
    if let start = try dataset.contiguousOffset() { ranges.append(start..<start + dataset.byteCount) }
    try dataset.close()
    let sums = try file.createDataset("\(group)crc32", shape: [fields.count], type: .uint32)
    try sums.writeAll(checksums)
    try sums.close()
    return total
  }

  private func write(
    _ variables: [FieldVariable], _ coordinates: FieldCoordinates, to file: borrowing HDF5File
  ) throws(HDF5Error) {
    try file.writeAttribute("names", variables.map(\.name), of: "fields")
    try file.writeAttribute("units", variables.map(\.units), of: "fields")
    try file.writeAttribute("long_names", variables.map(\.longName), of: "fields")
    try write(variables.map(\.mean), "statistics/mean", to: file)
    try write(variables.map(\.standardDeviation), "statistics/standard_deviation", to: file)
    try write(variables.map(\.minimum), "statistics/minimum", to: file)
    try write(variables.map(\.maximum), "statistics/maximum", to: file)
    for (path, axis) in [("coordinates/y", coordinates.y), ("coordinates/x", coordinates.x)] {
      guard let axis else { continue }
      try write(axis.values, path, to: file)
      try file.writeAttribute("name", axis.name, of: path)
      try file.writeAttribute("units", axis.units, of: path)
    }
    try file.writeAttribute("name", name)
    try file.writeAttribute("format_version", Int64(PackedFields.formatVersion))
    try file.writeAttribute("complete", Int64(1))
  }

  private func write(_ numbers: [Double], _ path: String, to file: borrowing HDF5File) throws(HDF5Error) {
    let dataset = try file.createDataset(path, shape: [numbers.count], type: .float64)
    try dataset.writeAll(numbers)
    try dataset.close()
  }

  /// The number of samples of a piece.
  private func piece(_ fields: JoinedFields) -> Int {
    let sourceSize = fields.height * fields.width * fields.channels.count
    let size = max(sourceSize, frame.height * frame.width * fields.channels.count * 3) * MemoryLayout<Float>.size
    let count = min(max(Self.pieceSize / size, 1), 4096)
    let together = min(fields.samplesPerPiece, max(Self.largestPieceSize / size, 1))
    return min(count > together ? count / together * together : together, fields.count)
  }

  /// Reads all samples, a piece at a time.
  /// - Parameter body: called with the piece's samples and their values, [samples.count, H, W, C] of the source.
  private func forEachPiece(of fields: JoinedFields, _ body: (Range<Int>, Tensor) throws -> Void) throws {
    let piece = piece(fields)
    let values = Tensor(uninitialised: [piece, fields.height, fields.width, fields.channels.count])
    for start in stride(from: 0, to: fields.count, by: piece) {
      let samples = start..<min(start + piece, fields.count)
      let part = values[0..<samples.count]
      try fields.read(samples, into: part)
      try body(samples, part)
    }
  }
}

/// The missing values of all samples.
private struct MissingValues {
  private var counts: [Int]
  private(set) var first: (channel: Int, sample: Int, index: Int)?

  init(channels: Int) { counts = [Int](repeating: 0, count: channels) }

  /// - Parameter statistics: those of the source's channels come first.
  mutating func add(_ statistics: [FieldStatistics], sample: Int) {
    for channel in counts.indices {
      counts[channel] += statistics[channel].missing
      if first == nil, let index = statistics[channel].firstMissing { first = (channel, sample, index) }
    }
  }

  /// nil if there are none.
  func error(_ fields: JoinedFields, _ frame: FieldFrame) -> DatasetError? {
    guard let first else { return nil }
    let total = counts.reduce(0, +)
    let names = fields.channels.map(\.name)
    let list = counts.indices.filter { counts[$0] > 0 }.map { "\(counts[$0]) of \(names[$0])" }
    let (path, sample) = fields.location(of: first.sample)
    let (row, column) = first.index.quotientAndRemainder(dividingBy: frame.width)
    return DatasetError(
      .missingValues, path,
      "\(total == 1 ? "1 value is" : "\(total) values are") missing (\(list.joined(separator: ", "))): NaN, infinite, a "
        + "fill value, or too large for single precision; the first is \(names[first.channel]) in sample \(sample), "
        + "y \(frame.rows[row]), x \(frame.columns[column])",
      advice: "add --missing mask, which sets them to the mean and adds a channel that is 1 where there is a value; or "
        + "fill them in first, or leave the variable out")
  }
}
