import Datasets
import Failures
import Tensors

/// The fields of a data set that drawn ones are compared with, in physical units.
package struct FieldTruths: Sendable {
  let dataset: any Dataset
  private let description: FieldDescription

  /// - Parameters:
  ///   - model: what the model's channels are.
  ///   - shape: [H, W, C] of the fields that it draws.
  /// - Throws: `InputError` unless the data set has the same variables and conditions on the same grid.
  package init(_ dataset: any Dataset, for model: FieldDescription, shape: [Int]) throws(InputError) {
    guard let description = dataset.fields, dataset.drawnShape == shape,
      description.variables.map(\.name) == model.variables.map(\.name),
      description.conditions.map(\.name) == model.conditions.map(\.name)
    else {
      throw InputError(
        "\(dataset.name) has \(Self.text(dataset.fields, dataset.drawnShape)), but the model draws "
          + "\(Self.text(model, shape)); compare with the data that it was trained on, or others of the same variables")
    }
    self.dataset = dataset
    self.description = description
  }

  var variables: [FieldVariable] { description.variables }

  /// [H, W, C].
  var shape: [Int] { dataset.drawnShape }

  /// The drawn channels of consecutive samples, [samples.count, H, W, C].
  /// - Throws: `DatasetError` if one of them cannot be read.
  func fields(_ samples: Range<Int>, workers: WorkerPool) throws -> Tensor {
    let whole = Tensor(uninitialised: [samples.count] + dataset.imageShape)
    try workers.forEachTrying(samples.count) { offset in
      try dataset.copyValues(of: samples.lowerBound + offset, into: whole, at: offset, flipped: false)
    }
    let fields = drawnChannels(of: whole)
    description.denormalise(fields, as: description.variables)
    return fields
  }

  private func drawnChannels(of samples: Tensor) -> Tensor {
    guard dataset.conditionChannels > 0 else { return samples }
    let (all, drawn) = (dataset.imageShape[2], shape[2])
    let fields = Tensor(uninitialised: [samples.shape[0]] + shape)
    for point in 0..<fields.count / drawn {
      for channel in 0..<drawn { fields[point * drawn + channel] = samples[point * all + channel] }
    }
    return fields
  }

  private static func text(_ fields: FieldDescription?, _ shape: [Int]) -> String {
    guard let fields else { return "images \(shape)" }
    func names(_ variables: [FieldVariable]) -> String { variables.map(\.name).joined(separator: ", ") }
    let given = fields.conditions.isEmpty ? "" : " given \(names(fields.conditions))"
    return "\(names(fields.variables))\(given) on \(shape[0])x\(shape[1]) points"
  }
}
