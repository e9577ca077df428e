import Tensors

/// The samples of several files, one after another.
package final class JoinedFields: FieldSource {
  package let sources: [any FieldSource]
  package let channels: [FieldChannel]
  /// Where all files have the same.
  package let coordinates: FieldCoordinates
  /// The number of samples before each file's, and in the end that of all.
  private let starts: [Int]

  package var path: String { sources[0].path }
  package var count: Int { starts[starts.count - 1] }
  package var height: Int { sources[0].height }
  package var width: Int { sources[0].width }
  /// Those of all files, without repetition.
  package var remarks: [String] {
    var seen: Set<String> = []
    return sources.flatMap(\.remarks).filter { seen.insert($0).inserted }
  }
  package var samplesPerPiece: Int { sources.map(\.samplesPerPiece).max() ?? 1 }

  /// - Parameters:
  ///   - sources: at least one.
  ///   - names: of the channels; nil for the sources' own. Units are those of the first file that says them.
  /// - Throws: `DatasetError` if their grids, names or units differ, or the number of names is wrong.
  package init(_ sources: [any FieldSource], names: [String]? = nil) throws(DatasetError) {
    precondition(!sources.isEmpty, "there must be a source")
    let first = sources[0]
    for source in sources.dropFirst() { try Self.requireAlike(source, first) }
    self.sources = sources
    var channels = first.channels
    for index in channels.indices {
      guard let known = sources.first(where: { !$0.channels[index].units.isEmpty }) else { continue }
      for source in sources { try Self.requireSameUnits(source, known, channel: index) }
      channels[index].units = known.channels[index].units
    }
    if let names {
      guard names.count == channels.count else {
        throw DatasetError(
          .wrongDimensions, "--names",
          "there are \(names.count) names for the channels \(channels.map(\.name).joined(separator: ", "))",
          advice: "give one for each")
      }
      for index in channels.indices { channels[index].name = names[index] }
    }
    if let name = repeated(channels.map(\.name)) {
      throw DatasetError(
        .wrongLayout, first.path, "two channels have the name \(name)", advice: "give others with --names")
    }
    self.channels = channels
    starts = sources.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    coordinates = FieldCoordinates(
      y: sources.allSatisfy { $0.coordinates.y == first.coordinates.y } ? first.coordinates.y : nil,
      x: sources.allSatisfy { $0.coordinates.x == first.coordinates.x } ? first.coordinates.x : nil)
  }

  /// - Throws: `DatasetError` naming the first difference in grid, channels or units.
  package static func requireAlike(_ source: any FieldSource, _ first: any FieldSource) throws(DatasetError) {
    func refuse(_ what: String, _ own: String, _ other: String, advice: String) -> DatasetError {
      DatasetError(.wrongLayout, source.path, "\(what) \(own), but \(other) in \(first.path)", advice: advice)
    }
    guard source.height == first.height, source.width == first.width else {
      throw refuse(
        "its fields are", "\(source.height)x\(source.width)", "\(first.height)x\(first.width)",
        advice: "pack files of one grid")
    }
    func list(_ texts: [String]) -> String { texts.joined(separator: ", ") }
    let (names, others) = (source.channels.map(\.name), first.channels.map(\.name))
    guard names == others else {
      throw refuse(
        "its channels are", list(names), "they are \(list(others))", advice: "choose the same with --variables")
    }
    for index in names.indices { try requireSameUnits(source, first, channel: index) }
  }

  /// - Throws: `DatasetError` if a channel has other units in the second source.
  private static func requireSameUnits(
    _ source: any FieldSource, _ other: any FieldSource, channel: Int
  ) throws(DatasetError) {
    let (own, others) = (source.channels[channel], other.channels[channel])
    guard unitsDiffer(own.units, others.units) else { return }
    throw DatasetError(
      .wrongLayout, source.path, "\(own.name) is in \"\(own.units)\", but in \"\(others.units)\" in \(other.path)",
      advice: "convert one of them")
  }

  /// The axes whose coordinates are not the same in all files.
  package var axesThatDiffer: [String] {
    let first = sources[0].coordinates
    return [
      sources.allSatisfy { $0.coordinates.y == first.y } ? nil : "y",
      sources.allSatisfy { $0.coordinates.x == first.x } ? nil : "x",
    ].compactMap(\.self)
  }

  /// The file that a sample is in, and its index there.
  package func location(of sample: Int) -> (path: String, index: Int) {
    let number = (starts.firstIndex { $0 > sample } ?? starts.count) - 1
    return (sources[number].path, sample - starts[number])
  }

  package func read(_ samples: Range<Int>, into target: Tensor) throws {
    precondition(
      samples.lowerBound >= 0 && samples.upperBound <= count, "there are no samples \(samples) among \(count)")
    for (number, source) in sources.enumerated() {
      let part = samples.clamped(to: starts[number]..<starts[number + 1])
      if part.isEmpty { continue }
      let first = part.lowerBound - samples.lowerBound
      try source.read(
        part.lowerBound - starts[number]..<part.upperBound - starts[number],
        into: target[first..<first + part.count])
    }
  }
}

/// The first text that occurs twice.
func repeated(_ texts: [String]) -> String? {
  var seen: Set<String> = []
  return texts.first { !seen.insert($0).inserted }
}
