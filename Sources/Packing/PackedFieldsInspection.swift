import Datasets
import Tensors

/// The contents of a file of packed fields, and the damaged samples among them.
package struct PackedFieldsInspection: Sendable {
  package struct Part: Sendable {
    /// The dataset: `fields` or `test/fields`.
    package let name: String
    package let count: Int
    package let damaged: [DamagedImage]
  }

  /// What describes the fields.
  package let fields: PackedFields
  package let parts: [Part]

  /// Reads every sample and verifies its checksum.
  /// - Throws: `DatasetError` if the file cannot be used.
  package init(path: String) throws(DatasetError) {
    fields = try PackedFields(path: path)
    var parts = [Part(name: "fields", count: fields.count, damaged: Self.damaged(fields))]
    if try PackedFields.testsAreIn(path) {
      let test = try PackedFields(path: path, split: .test)
      parts.append(Part(name: "test/fields", count: test.count, damaged: Self.damaged(test)))
    }
    self.parts = parts
  }

  private static func damaged(_ fields: PackedFields) -> [DamagedImage] {
    let sample = Tensor(uninitialised: [1] + fields.fieldShape)
    var damaged: [DamagedImage] = []
    for index in 0..<fields.count {
      do { try fields.copyValues(of: index, into: sample) } catch {
        damaged.append(DamagedImage(index: index, error: error))
      }
    }
    return damaged
  }

  /// A table of the channels: a line for its head, and one for each channel.
  package var table: [String] { FieldTable.lines(fields.variables) }
}
