import Datasets
import Failures
import FieldPictures
import Images
import Tensors

// Fields as pictures: what is given, then what is drawn.
extension FieldDescription {
  /// A copy of values as the network takes them, in physical units.
  /// - Parameter variables: one for each channel.
  func physical(_ values: Tensor, as variables: [FieldVariable]) -> Tensor {
    let result = values.copied()
    denormalise(result, as: variables)
    return result
  }

  /// A sheet of fields, a row for each: given and drawn channels in physical units.
  /// - Parameters:
  ///   - drawn: as the network takes them, [N, H, W, C].
  ///   - given: [N, H, W, k], nil if there are none.
  /// - Throws: `InputError` for more than a sheet can hold.
  func sheet(_ drawn: Tensor, given: Tensor?) throws(InputError) -> Image {
    try FieldSheet(panels(physical(drawn, as: variables), given: given), panelVariables).image()
  }

  /// The columns of a sheet.
  var panelVariables: [FieldSheet.Variable] {
    (conditions + variables).map { FieldSheet.Variable($0.name, units: $0.units) }
  }

  /// The panels of a sheet, [N, H, W, k + C].
  /// - Parameters:
  ///   - drawn: in physical units, [N, H, W, C].
  ///   - given: as the network takes them, [N, H, W, k]; nil if there are none.
  func panels(_ drawn: Tensor, given: Tensor?) -> Tensor {
    guard let given else { return drawn }
    let parts = [physical(given, as: conditions), drawn]
    let counts = [conditions.count, variables.count]
    let result = Tensor(uninitialised: drawn.shape.dropLast() + [conditions.count + variables.count])
    var target = 0
    for point in 0..<drawn.count / variables.count {
      for (part, count) in zip(parts, counts) {
        for channel in 0..<count {
          result[target] = part[point * count + channel]
          target += 1
        }
      }
    }
    return result
  }

  /// A picture of one field, [H, W, C] in physical units. The colours are the same for all fields: they cover the values
  /// of the training data.
  /// - Throws: `InputError` for more than a picture can hold.
  func picture(_ field: Tensor) throws(InputError) -> Image {
    let columns = variables.map { variable in
      let isBounded = variable.minimum.isFinite && variable.maximum.isFinite && variable.minimum <= variable.maximum
      return FieldSheet.Variable(
        variable.name, units: variable.units,
        scale: isBounded ? ColourScale(spanning: variable.minimum...variable.maximum) : nil)
    }
    return try FieldSheet(field.reshaped([1] + field.shape), columns).image()
  }
}
