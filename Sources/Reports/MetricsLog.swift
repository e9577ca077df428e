import Files

/// The contents of metrics.jsonl: a series of values for each name in its lines. The file is read once, from its end,
/// with memory that does not grow with its size.
///
/// Names that training does not write are series like any other, on separate lines or not.
package struct MetricsLog: Sendable, Equatable {
  /// In alphabetical order.
  package private(set) var series: [Series] = []
  /// The number of lines that are not records.
  package private(set) var damagedLineCount = 0
  /// Whether the last line is incomplete: it is being written, or its writer was killed.
  package private(set) var isCutShort = false
  /// The last steps before `seconds` restarted, which happens at each start of the program.
  package private(set) var restartSteps: [Int] = []
  /// The total training time that the log covers, over all starts.
  package private(set) var seconds = 0.0
  /// Whether there were more names than `nameLimit`; the values of the rest are left out.
  package private(set) var hasTooManyNames = false

  /// Training writes about a dozen.
  package static let nameLimit = 100

  package init() {}

  /// - Throws: `FileError` if the file cannot be read.
  package init(readingFrom path: String) throws(FileError) {
    let file = try RegularFile(path)
    var reader = MetricsReader()
    try forEachLineBackward(in: file) { line, hasEnd in
      if line.isEmpty || reader.read(line) { return }
      // An incomplete last line counts as truncated, not as damaged.
      if hasEnd { damagedLineCount += 1 } else { isCutShort = true }
    }
    series = reader.series
    hasTooManyNames = reader.hasTooManyNames
    (restartSteps, seconds) = (reader.clock.restartSteps.reversed(), reader.clock.seconds)
  }

  package func series(named name: String) -> Series? { series.first { $0.name == name } }

  /// The last step of any series; 0 if there is none.
  package var lastStep: Int { series.map(\.last.step).max() ?? 0 }
}

/// Sorts the values of lines into series, starting with the last line.
private struct MetricsReader {
  private var names: [[UInt8]] = []
  private var thinnings: [SeriesThinning] = []
  private var indices: [String: Int] = [:]
  private var line = MetricsLine()
  private(set) var hasTooManyNames = false
  private(set) var clock = TrainingClock()

  var series: [Series] {
    zip(names, thinnings).compactMap { Series(name: String(decoding: $0, as: UTF8.self), $1) }.sorted {
      $0.name < $1.name
    }
  }

  /// - Returns: whether the line is a record.
  mutating func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if line.read(bytes), let step = line.step {
      // Lines usually have the same names in the same order.
      var guess = 0
      for (name, value) in line.fields {
        let name = UnsafeRawBufferPointer(rebasing: bytes[name])
        if guess < names.count, name.elementsEqual(names[guess]) {
          add(step, value, to: guess)
        } else if let index = index(String(decoding: name, as: UTF8.self)) {
          guess = index
          add(step, value, to: index)
        }
        guess += 1
      }
      return true
    }
    guard let (step, values) = MetricsLine.decode(bytes) else { return false }
    for (name, value) in values.sorted(by: { $0.name < $1.name }) {
      if let index = index(name) { add(step, value, to: index) }
    }
    return true
  }

  private mutating func index(_ name: String) -> Int? {
    if let index = indices[name] { return index }
    guard names.count < MetricsLog.nameLimit else {
      hasTooManyNames = true
      return nil
    }
    indices[name] = names.count
    names.append(Array(name.utf8))
    thinnings.append(SeriesThinning())
    return names.count - 1
  }

  private mutating func add(_ step: Int, _ value: Double?, to index: Int) {
    let point = Series.Point(step: step, value: value)
    if thinnings[index].add(point), names[index].elementsEqual("seconds".utf8) { clock.note(point) }
  }
}

/// Detects restarts of training and its total duration from the values of `seconds`, starting with the last one.
private struct TrainingClock {
  /// The last one first.
  private(set) var restartSteps: [Int] = []
  private(set) var seconds = 0.0
  private var later: Series.Point?

  mutating func note(_ point: Series.Point) {
    if let later {
      if let before = point.value, let after = later.value, after < before {
        restartSteps.append(point.step)
        seconds += before
      }
    } else {
      seconds = point.value ?? 0
    }
    later = point
  }
}
