import Tensors

/// Fields in physical units, numbered from 0, with what describes their channels.
package protocol PhysicalFields: Sendable {
  var name: String { get }
  /// The number of samples.
  var count: Int { get }
  /// [H, W, C].
  var fieldShape: [Int] { get }
  /// One for each channel.
  var variables: [FieldVariable] { get }
  var coordinates: FieldCoordinates { get }
  /// As of a `Dataset`, like the next two.
  var fingerprint: UInt64 { get }
  var contentMark: UInt64 { get }
  var readsFiles: Bool { get }

  /// Overwrites `target`, [H, W, C], with the values of a sample. Several threads may call it at once.
  /// - Throws: `DatasetError` if it cannot be read.
  func read(_ index: Int, into target: Tensor) throws(DatasetError)
}

extension PackedFields: PhysicalFields {
  package var readsFiles: Bool { true }

  package func read(_ index: Int, into target: Tensor) throws(DatasetError) {
    try copyValues(of: index, into: target)
  }
}

extension GaussianField: PhysicalFields {
  package var fieldShape: [Int] { shape }
  package var coordinates: FieldCoordinates { FieldCoordinates() }
  package var contentMark: UInt64 { fingerprint }
  package var readsFiles: Bool { false }

  /// The true mean and standard deviation. Normal numbers have no bounds; one in five hundred million is beyond those
  /// given here.
  package var variables: [FieldVariable] {
    (1...shape[2]).map { FieldVariable(name: "field_\($0)", units: "1", minimum: -6, maximum: 6) }
  }

  package func read(_ index: Int, into target: Tensor) { copyValues(of: index, into: target) }
}
