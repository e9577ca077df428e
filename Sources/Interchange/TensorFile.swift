/// A file of named tensors, whatever its format.
public protocol TensorFile: Sendable {
  /// What messages call the file.
  var path: String { get }
  /// Of all tensors, in alphabetical order.
  var names: [String] { get }
  /// nil if there is no such tensor.
  func shape(of name: String) -> [Int]?
  /// The elements of one tensor, row-major in its shape, in single precision.
  /// - Throws: `InterchangeError` if there is no such tensor, or it holds no floating-point numbers.
  func floats(_ name: String) throws(InterchangeError) -> [Float]
}

/// Reads a file of tensors whose format its first bytes tell: safetensors, or one of PyTorch's.
///
/// - Throws: `InterchangeError` for a file that cannot be read, is not whole, or holds something else.
public func tensorFile(readingFrom path: String) throws(InterchangeError) -> any TensorFile {
  let contents = try fileContents(path)
  return TorchFile.canBe(contents)
    ? try TorchFile(contents, path: path) : try Safetensors(contents, path: path)
}
