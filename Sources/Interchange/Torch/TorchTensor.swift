import Files

/// A view of a storage's elements.
struct TorchTensor {
  let storage: TorchStorage
  /// The index of the first element.
  let offset: Int
  let shape: [Int]
  /// The distance in elements between neighbours along each axis.
  let strides: [Int]

  /// - Returns: nil if it is not a tensor.
  /// - Throws: `InterchangeError` for a tensor in an unknown form.
  init?(
    _ reference: Pickle.Reference, of pickle: Pickle, name: String, path: String
  ) throws(InterchangeError) {
    guard var call = pickle.call(reference) else { return nil }
    if call.function == "torch._utils._rebuild_parameter" {
      guard let data = call.arguments.first, let inner = pickle.call(data) else {
        throw InterchangeError(path, "\(name) has an unknown form")
      }
      call = inner
    }
    guard ["torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor"].contains(call.function) else {
      return nil
    }
    guard call.arguments.count >= 4, case .persistent(let identifier) = pickle[call.arguments[0]],
      let offset = pickle.integer(call.arguments[1]), offset >= 0,
      let shape = Self.integers(call.arguments[2], of: pickle),
      let strides = Self.integers(call.arguments[3], of: pickle), strides.count == shape.count
    else { throw InterchangeError(path, "\(name) has an unknown form") }
    storage = try TorchStorage(identifier, of: pickle, path: path)
    (self.offset, self.shape, self.strides) = (offset, shape, strides)
  }

  /// nil if one of them is negative.
  private static func integers(_ reference: Pickle.Reference, of pickle: Pickle) -> [Int]? {
    guard let elements = pickle.elements(reference) else { return nil }
    let integers = elements.compactMap { pickle.integer($0) }.filter { $0 >= 0 }
    return integers.count == elements.count ? integers : nil
  }

  /// Checks that all elements are in the storage, each of them at most once.
  /// - Throws: `InterchangeError` if not.
  func check(_ name: String, path: String) throws(InterchangeError) {
    // A tensor without elements may have any offset.
    if shape.contains(0) { return }
    let last = zip(shape, strides).reduce(offset) { last, axis in
      let (sum, overflows) = last.addingReportingOverflow(checkedProduct([axis.0 - 1, axis.1]) ?? .max)
      return overflows ? .max : sum
    }
    guard let count = checkedProduct(shape), count <= storage.count, last < storage.count else {
      throw InterchangeError(
        path,
        "\(name) of shape \(shape), strides \(strides) starting at element \(offset) does not fit a storage of "
          + "\(storage.count) elements, or repeats some",
        advice: "if it was expanded, save a contiguous copy of it; otherwise fetch or create the file again")
    }
  }

  /// The range of its elements in the storage, if they are contiguous and in row-major order.
  var contiguousElements: Range<Int>? {
    if shape.contains(0) { return 0..<0 }
    var count = 1
    for (length, stride) in zip(shape, strides).reversed() {
      guard length == 1 || stride == count else { return nil }
      count *= length
    }
    return offset..<offset + count
  }
}
