import Inception
import Interchange

extension InceptionNetwork {
  /// - Parameters:
  ///   - file: a file with the tensors of pytorch-fid's module under their names.
  ///   - note: called with each tensor that the network uses, always in the same order.
  /// - Throws: `InterchangeError` naming the tensor that is missing or has a different shape.
  package init(
    _ file: any TensorFile, note: (_ name: String, _ shape: [Int], _ values: [Float]) -> Void = { _, _, _ in }
  ) throws {
    try self.init { name, shape in
      guard let found = file.shape(of: name) else {
        throw InterchangeError(
          file.path, "has no tensor \(name) of shape \(shape), which Inception-v3 requires", advice: Self.advice)
      }
      guard found == shape else {
        throw InterchangeError(
          file.path, "\(name) has the shape \(found), not \(shape) as in Inception-v3 for FID", advice: Self.advice)
      }
      let values = try file.floats(name)
      note(name, shape, values)
      return values
    }
  }

  /// Whether a file may contain this network.
  static func canBe(in file: any TensorFile) -> Bool { file.shape(of: "Conv2d_1a_3x3.conv.weight") != nil }

  private static let advice = "use \(InceptionFile.published), see \(InceptionFile.publishedPage)"
}
