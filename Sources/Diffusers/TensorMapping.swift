import Interchange
import Tensors

/// A parameter in PyTorch's layout: the same name with other axes.
///
/// Kernels [height, width, in, out] are [out, in, height, width] in PyTorch, and matrices [in, out] are [out, in]. A
/// table of rows has the same layout in both.
struct TensorMapping {
  let entry: ParameterEntry

  /// The class embedding.
  static let tableName = "class_embedding.weight"

  private var isTransposed: Bool { entry.order != .c && entry.name != Self.tableName }

  /// The shape in PyTorch.
  var shape: [Int] {
    guard isTransposed else { return entry.shape }
    let taps = Array(entry.shape.dropLast(2))
    return [entry.shape[entry.shape.count - 1], entry.shape[entry.shape.count - 2]] + taps
  }

  /// Converts elements from our order, [taps, in, out], to PyTorch's, [out, in, taps].
  func toPyTorch(_ elements: [Float]) -> [Float] {
    guard isTransposed else { return elements }
    let (taps, inputs, outputs) = lengths
    return reversingAxes(of: elements, taps, inputs, outputs)
  }

  /// Converts elements from PyTorch's order to ours.
  func fromPyTorch(_ elements: [Float]) -> [Float] {
    guard isTransposed else { return elements }
    let (taps, inputs, outputs) = lengths
    return reversingAxes(of: elements, outputs, inputs, taps)
  }

  /// The elements of an array [first, second, third] as [third, second, first].
  private func reversingAxes(of elements: [Float], _ first: Int, _ second: Int, _ third: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: elements.count) { result, count in
      for i in 0..<first {
        for j in 0..<second {
          let row = (i * second + j) * third
          for k in 0..<third { result[(k * second + j) * first + i] = elements[row + k] }
        }
      }
      count = elements.count
    }
  }

  private var lengths: (taps: Int, inputs: Int, outputs: Int) {
    let (inputs, outputs) = (entry.shape[entry.shape.count - 2], entry.shape[entry.shape.count - 1])
    return (entry.count / (inputs * outputs), inputs, outputs)
  }

  // MARK: Names

  /// The names of attention's layers in models of old versions of diffusers.
  private static let legacyLayers = ["to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"]

  /// The name in models of old versions of diffusers, if it was different.
  var legacyName: String? {
    guard entry.name.split(separator: ".").contains("attentions") else { return nil }
    for (layer, legacy) in Self.legacyLayers {
      for end in [".weight", ".bias"] where entry.name.hasSuffix(".\(layer)\(end)") {
        return String(entry.name.dropLast(layer.count + end.count)) + legacy + end
      }
    }
    return nil
  }
}
