import Failures

/// Data that cannot be used: the file, what is wrong with it, and what to do.
package struct DatasetError: JobEndingError, Equatable, Codable, CustomStringConvertible {
  package enum Kind: String, Sendable, CaseIterable, Codable {
    case missing
    case unreadable
    /// The first bytes do not match the format.
    case wrongMagic
    case wrongDimensions
    case truncated
    case trailingBytes
    /// Different numbers of images and labels.
    case countMismatch
    /// A label without a class.
    case wrongLabel
    /// An image that is damaged, or not an image.
    case damaged
    /// Intact, but not arranged as required for this use.
    case wrongLayout
    case unknownName
    /// There are transparent pixels, but no background was given.
    case transparent
    /// There are values that are missing, where none may be.
    case missingValues
    /// Above a limit that protects memory.
    case tooLarge
  }

  package let kind: Kind
  /// The path of the file or folder, or the setting at fault.
  package let location: String
  /// What was expected and what was found.
  package let problem: String
  package let advice: String

  /// Whether the data are damaged or invalid. Otherwise they are intact, and the user has to make a choice.
  package var isOfDamage: Bool { kind != .transparent && kind != .tooLarge }

  package var exitStatus: ExitStatus { .badInput }
  package var description: String { "\(location): \(problem); \(advice)" }

  /// The advice for a damaged file.
  static let fetchAgain = "the file is damaged: fetch it again"

  init(_ kind: Kind, _ location: String, _ problem: String, advice: String = Self.fetchAgain) {
    self.kind = kind
    self.location = location
    self.problem = problem
    self.advice = advice
  }
}
