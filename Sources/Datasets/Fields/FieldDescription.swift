import FoundationEssentials
import Tensors

/// What a model's channels are, and how their values are normalised. Checkpoints contain it, so that a model needs no
/// other file to draw fields in physical units.
package struct FieldDescription: Codable, Sendable, Equatable {
  /// The channels that are drawn, in order.
  package var variables: [FieldVariable]
  /// The channels that are given, in order; they follow the others.
  package var conditions: [FieldVariable]
  package var normalisation: FieldNormalisation
  package var coordinates: FieldCoordinates

  package init(
    variables: [FieldVariable], conditions: [FieldVariable] = [], normalisation: FieldNormalisation = .standard,
    coordinates: FieldCoordinates = FieldCoordinates()
  ) {
    self.variables = variables
    self.conditions = conditions
    self.normalisation = normalisation
    self.coordinates = coordinates
  }

  // MARK: Values

  /// Replaces physical values, [..., C], by those that networks take.
  /// - Parameter variables: one for each channel: `variables`, `conditions`, or others with the statistics of these.
  package func normalise(_ values: Tensor, as variables: [FieldVariable]) {
    apply(values, variables) { $0.normalised($1) }
  }

  /// Replaces values that networks take, [..., C], by physical ones. The parameters are those of `normalise`.
  package func denormalise(_ values: Tensor, as variables: [FieldVariable]) {
    apply(values, variables) { $0.value($1) }
  }

  private func apply(_ values: Tensor, _ variables: [FieldVariable], _ map: (FieldScaling, Float) -> Float) {
    verify(values.shape.last == variables.count, "\(variables.count) variables for values of \(values.shape)")
    let scalings = variables.map(normalisation.scaling(of:))
    for start in stride(from: 0, to: values.count, by: scalings.count) {
      for channel in 0..<scalings.count {
        values[start + channel] = map(scalings[channel], values[start + channel])
      }
    }
  }

  /// The standard deviation σ_data of the normalised values of drawn channels, for the preconditioning of Karras et al.
  /// (arXiv:2206.00364): each channel's about its own mean, and the root of the mean of their squares. That is what the
  /// paper's derivation needs (appendix B.6), which gives inputs and targets the variance 1; a mean other than 0 is left
  /// to the network's biases, as with images.
  package var sigmaData: Double {
    let squares = variables.map { variable in
      let ratio = variable.standardDeviation / normalisation.scaling(of: variable).scale
      return ratio * ratio
    }
    return (squares.reduce(0, +) / Double(variables.count)).squareRoot()
  }

  // MARK: Text

  /// The description in JSON, with numbers that parse back to the same ones.
  package var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(self) else { preconditionFailure("a description has only finite numbers") }
    return String(decoding: data, as: UTF8.self)
  }

  /// Reads the description in a checkpoint.
  /// - Parameters:
  ///   - imageShape: the shape of what the model draws, [H, W, C].
  ///   - names: the names of the given channels, `data.conditions`.
  /// - Throws: `DatasetError` if it is not one of such fields.
  package init(json: String, imageShape: [Int], conditions names: [String]) throws(DatasetError) {
    do { self = try JSONDecoder().decode(FieldDescription.self, from: Data(json.utf8)) } catch {
      throw Self.damaged("it is not a description in JSON")
    }
    guard variables.count == imageShape[2], !variables.isEmpty else {
      throw Self.damaged("it describes \(variables.count) drawn channels, but there are \(imageShape[2])")
    }
    guard conditions.map(\.name) == names else {
      throw Self.damaged("its given channels are \(conditions.map(\.name)), but data.conditions is \(names)")
    }
    let all = variables + conditions
    guard repeated(all.map(\.name)) == nil, !all.contains(where: \.name.isEmpty) else {
      throw Self.damaged("its channels have no names, or the same ones")
    }
    for variable in all {
      let scaling = normalisation.scaling(of: variable)
      let numbers = [
        variable.mean, variable.standardDeviation, variable.minimum, variable.maximum, scaling.offset, scaling.scale,
      ]
      guard numbers.allSatisfy(\.isFinite), variable.standardDeviation >= 0, scaling.scale > 0 else {
        throw Self.damaged("the statistics of \(variable.name) are not possible")
      }
    }
    for (axis, count) in [(coordinates.y, imageShape[0]), (coordinates.x, imageShape[1])] {
      guard let axis, axis.values.count != count || !axis.isComplete else { continue }
      throw Self.damaged("its coordinates of \(axis.name) are not \(count) finite numbers")
    }
  }

  private static func damaged(_ problem: String) -> DatasetError {
    DatasetError(.wrongLayout, "the description of the fields", problem, advice: "use an intact checkpoint")
  }
}
