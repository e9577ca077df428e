/// An image file that could not be read or written.
public struct ImageError: Error, Equatable, CustomStringConvertible {
  public let path: String
  /// What the library of the format or the operating system says.
  public let message: String

  public var description: String { "\(path): \(message)" }
}
