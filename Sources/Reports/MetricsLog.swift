import Foundation
import Jobs

/// What metrics.jsonl tells: a series of values for each name that its lines have.
///
/// Names other than those that training writes are series like any other, on lines of their own or not.
public struct MetricsLog: Sendable, Equatable {
  /// The values of one name, in the order of their steps.
  public struct Series: Sendable, Equatable {
    public var name: String
    public var points: [Point]

    public init(name: String, points: [Point] = []) {
      self.name = name
      self.points = points
    }
  }

  public struct Point: Sendable, Equatable {
    public var step: Int
    /// Nil where it was no finite number.
    public var value: Double?

    public init(step: Int, value: Double?) {
      self.step = step
      self.value = value
    }
  }

  /// In the order in which names turn up.
  public private(set) var series: [Series] = []
  /// Lines that are no records.
  public private(set) var damagedLineCount = 0
  /// Whether the last line has no end: it is being written, or its writer was killed.
  public private(set) var isCutShort = false
  /// The last steps before `seconds` began anew, as they do at each start of the program.
  public private(set) var restartSteps: [Int] = []
  /// Seconds of training that the log covers, over all starts.
  public private(set) var seconds = 0.0

  public init() {}

  /// - Parameter bytes: of the file. A last line without an end that is no record counts as cut short, not as damaged.
  public init(_ bytes: [UInt8]) {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let decoder = JSONDecoder()
    var places: [String: Int] = [:]
    for (index, line) in lines.enumerated() where !line.isEmpty {
      guard let record = try? decoder.decode([String: Value].self, from: Data(line)),
        case .number(let number)? = record["step"], let step = Int(exactly: number)
      else {
        if index == lines.count - 1 { isCutShort = true } else { damagedLineCount += 1 }
        continue
      }
      for name in record.keys.sorted() where name != "step" {
        guard let value = record[name], value != .other else { continue }
        let place = places[name] ?? series.count
        if place == series.count {
          places[name] = place
          series.append(Series(name: name))
        }
        series[place].append(Point(step: step, value: value.number))
      }
    }
    noteRestarts()
  }

  public func series(named name: String) -> Series? { series.first { $0.name == name } }

  /// The last step of any series; 0 if there is none.
  public var lastStep: Int { series.compactMap { $0.points.last?.step }.max() ?? 0 }

  private mutating func noteRestarts() {
    var last: Point?
    for point in series(named: "seconds")?.points ?? [] {
      if let last, let before = last.value, let now = point.value, now < before {
        restartSteps.append(last.step)
        seconds += before
      }
      last = point
    }
    seconds += last?.value ?? 0
  }

  private enum Value: Decodable, Equatable {
    case number(Double)
    /// A number that is not finite.
    case null
    case other

    var number: Double? {
      if case .number(let number) = self { number } else { nil }
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      self = container.decodeNil() ? .null : (try? container.decode(Double.self)).map(Value.number) ?? .other
    }
  }
}

extension MetricsLog.Series {
  /// Adds a point, in whose place none stands any more: a resumed run says anew what an earlier one has said.
  fileprivate mutating func append(_ point: MetricsLog.Point) {
    while let last = points.last, last.step >= point.step { points.removeLast() }
    points.append(point)
  }
}
