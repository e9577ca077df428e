import Failures

/// Data that cannot be used: which file, what is wrong with it, what to do.
public struct DatasetError: JobEndingError, Equatable, Codable, CustomStringConvertible {
  public enum Kind: String, Sendable, CaseIterable, Codable {
    case missing
    case unreadable
    /// The first bytes are not those of the format.
    case wrongMagic
    case wrongDimensions
    case truncated
    case trailingBytes
    /// Different numbers of images and labels.
    case countMismatch
    /// A label that stands for no class.
    case wrongLabel
    /// An image's contents are not what they were, or no image.
    case damaged
    /// Whole, but not arranged as it must be for this use.
    case wrongLayout
    case unknownName
    /// Pixels are transparent, and nothing says what is behind them.
    case transparent
    /// Above a limit that was set to save memory.
    case tooLarge
  }

  public let kind: Kind
  /// The path of the file or folder, or the setting at fault.
  public let location: String
  /// What was expected and what was found.
  public let problem: String
  public let advice: String

  /// Whether the data are not what they should be. Otherwise they are whole, and the user has something to decide.
  public var isOfDamage: Bool { kind != .transparent && kind != .tooLarge }

  public var exitStatus: ExitStatus { .badInput }
  public var description: String { "\(location): \(problem); \(advice)" }

  init(_ kind: Kind, _ location: String, _ problem: String, advice: String = "the file is damaged: fetch it again") {
    self.kind = kind
    self.location = location
    self.problem = problem
    self.advice = advice
  }
}
