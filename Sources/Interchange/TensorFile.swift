/// A file of named tensors in any supported format.
package protocol TensorFile: Sendable {
  /// The name of the file in messages.
  var path: String { get }
  /// The names of all tensors, in alphabetical order.
  var names: [String] { get }
  /// nil if there is no such tensor.
  func shape(of name: String) -> [Int]?
  /// The elements of one tensor in row-major order, in single precision.
  /// - Throws: `InterchangeError` if there is no such tensor, or its elements are not floating-point numbers.
  func floats(_ name: String) throws(InterchangeError) -> [Float]
}

/// Reads a file of tensors whose format is recognised by its first bytes: safetensors, or one of PyTorch's.
///
/// - Throws: `InterchangeError` for a file that cannot be read, is truncated, or is of another format.
package func tensorFile(readingFrom path: String) throws(InterchangeError) -> any TensorFile {
  let contents = try fileContents(path)
  return TorchFile.canBe(contents)
    ? try TorchFile(contents, path: path) : try Safetensors(contents, path: path)
}
