import Interchange
import Network

extension InceptionNetwork {
  /// Reads a file that scripts/convert-inception.py has written.
  ///
  /// - Throws: `InterchangeError` that names the tensor which is not there, or has another shape.
  public init(readingFrom path: String) throws {
    try self.init(Safetensors(readingFrom: path))
  }

  /// - Parameter file: has the tensors of pytorch-fid's module under its names.
  public init(_ file: Safetensors) throws {
    try self.init { name, shape in
      guard let entry = file[name] else {
        throw InterchangeError(
          file.path, "has no tensor \(name) of shape \(shape), which Inception-v3 needs", advice: Self.advice)
      }
      guard entry.shape == shape else {
        throw InterchangeError(
          file.path, "\(name) has the shape \(entry.shape), not \(shape) as in Inception-v3 for FID",
          advice: Self.advice)
      }
      return try file.floats(name)
    }
  }

  private static let advice =
    "make it by scripts/convert-inception.py from \(InceptionFile.published), see \(InceptionFile.publishedPage)"
}
