import Foundation

/// One line of journal.jsonl: something that happened to a run, in the order in which it did. Unlike the lines of
/// metrics.jsonl these stay when the run is resumed from an earlier step. A run that was killed could not say so: it has
/// no entry after its last checkpoint.
public struct JournalEntry: Codable, Sendable, Equatable {
  public enum Event: String, Codable, Sendable {
    /// Training began at step 0.
    case start
    /// Training went on from a checkpoint, or from step 0 where none had been saved.
    case resume
    /// A checkpoint was saved.
    case checkpoint
    /// Something failed that training does not need, such as a measurement, and training went on.
    case warning
    /// All steps were done.
    case done
    /// Training was asked to stop, and had saved.
    case stop
    /// Training ended with an error.
    case failure
  }

  public var event: Event
  /// The steps that were done then.
  public var step: Int
  public var time: Date
  /// Of a start: what runs.
  public var job: Job?
  /// Of a stop: why; of a failure or a warning: the error.
  public var reason: String?
  /// Of a checkpoint: how long it took to save.
  public var seconds: Double?
  /// Of a resume: what is not as it was when the checkpoint was saved, each in words.
  public var changes: [String]?
  /// Of a start: the checkpoint whose weights it begins with.
  public var initial: String?

  /// Who trains, and what.
  public struct Job: Codable, Sendable, Equatable {
    public var version: String
    public var ranks: Int
    public var threadsPerRank: Int
    public var hosts: Int
    /// Steps of the whole run.
    public var steps: Int
    public var parameters: Int
    /// The data set's name, and how many images it has.
    public var data: String
    public var images: Int
    /// The data set's fingerprint.
    public var dataFingerprint: String?

    public init(
      version: String, ranks: Int, threadsPerRank: Int, hosts: Int, steps: Int, parameters: Int, data: String,
      images: Int, dataFingerprint: String? = nil
    ) {
      self.version = version
      self.ranks = ranks
      self.threadsPerRank = threadsPerRank
      self.hosts = hosts
      self.steps = steps
      self.parameters = parameters
      self.data = data
      self.images = images
      self.dataFingerprint = dataFingerprint
    }

    private enum CodingKeys: String, CodingKey {
      case version, ranks, hosts, steps, parameters, data, images
      case threadsPerRank = "threads_per_rank"
      case dataFingerprint = "data_fingerprint"
    }
  }

  public init(
    _ event: Event, step: Int, time: Date = Date(), job: Job? = nil, reason: String? = nil, seconds: Double? = nil,
    changes: [String]? = nil, initial: String? = nil
  ) {
    self.event = event
    self.step = step
    self.time = time
    self.job = job
    self.reason = reason
    self.seconds = seconds
    self.changes = changes
    self.initial = initial
  }

  /// The entry as a JSON object on one line; times are UTC in whole seconds, `2026-01-31T12:00:00Z` (ISO 8601).
  public var json: String {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .iso8601
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    } catch {
      preconditionFailure("an entry of finite numbers is JSON: \(error)")
    }
  }

  /// The entry on a line of the file; nil if it is none.
  public init?(line: some Sequence<UInt8>) {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    guard let entry = try? decoder.decode(Self.self, from: Data(line)) else { return nil }
    self = entry
  }
}
