import FoundationEssentials

/// One line of journal.jsonl: an event of a run, in chronological order. Unlike the lines of metrics.jsonl, entries
/// stay when the run is resumed from an earlier step. A run that was killed has no entry after its last checkpoint.
package struct JournalEntry: Codable, Sendable, Equatable {
  package enum Event: String, Codable, Sendable {
    /// Training started at step 0.
    case start
    /// Training continued from a checkpoint, or from step 0 if none had been saved.
    case resume
    /// A checkpoint was saved.
    case checkpoint
    /// Something that training does not depend on failed, such as a measurement, and training continued.
    case warning
    /// All steps were done.
    case done
    /// Training was asked to stop and had saved.
    case stop
    /// Training ended with an error.
    case failure
  }

  package var event: Event
  /// The number of steps done at that time.
  package var step: Int
  package var time: Date
  /// For a start: the job.
  package var job: Job?
  /// For a stop: why; for a failure or a warning: the error.
  package var reason: String?
  /// For a checkpoint: the seconds it took to save.
  package var seconds: Double?
  /// For a resume: what has changed since the checkpoint was saved, each in words.
  package var changes: [String]?
  /// For a start: the checkpoint whose weights it starts from.
  package var initial: String?

  /// The program, machines and data of a run.
  package struct Job: Codable, Sendable, Equatable {
    package var version: String
    package var ranks: Int
    package var threadsPerRank: Int
    package var hosts: Int
    /// The number of steps of the whole run.
    package var steps: Int
    package var parameters: Int
    /// The data set's name and its number of images or fields.
    package var data: String
    package var images: Int
    /// The data set's fingerprint.
    package var dataFingerprint: String?
    /// Whether the data are fields; nil stands for images.
    package var holdsFields: Bool?

    package init(
      version: String, ranks: Int, threadsPerRank: Int, hosts: Int, steps: Int, parameters: Int, data: String,
      images: Int, dataFingerprint: String? = nil, holdsFields: Bool? = nil
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
      self.holdsFields = holdsFields
    }
  }

  package init(
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
  package var json: String {
    do {
      return try plainJSONLine(self)
    } catch {
      preconditionFailure("an entry of finite numbers is JSON: \(error)")
    }
  }

  /// Parses a line of the file; nil if it is not an entry.
  package init?(line: some Sequence<UInt8>) {
    guard let entry: Self = value(ofJSONLine: line) else { return nil }
    self = entry
  }
}
