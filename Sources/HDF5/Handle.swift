import CHDF5

/// Owns one of the library's identifiers and closes it.
struct Handle: ~Copyable {
  enum Kind {
    case file, object, dataset, attribute, dataspace, datatype, propertyList
  }

  let identifier: hid_t
  private let kind: Kind
  private let closesWhenDropped: Bool

  /// Takes over the result of `call`.
  ///
  /// - Parameter closesWhenDropped: whether losing the handle closes the identifier. A file that ranks share is closed
  ///   by all of them together, so one that goes out of scope on one rank has to stay open.
  init(
    _ kind: Kind, _ call: String, _ subject: @autoclosure () -> String, _ identifier: hid_t,
    closesWhenDropped: Bool = true
  ) throws(HDF5Error) {
    try check(call, subject(), identifier)
    self.identifier = identifier
    self.kind = kind
    self.closesWhenDropped = closesWhenDropped
  }

  /// Closes the identifier and reports failures; for a file they may mean that data could not be written.
  consuming func close(_ subject: @autoclosure () -> String) throws(HDF5Error) {
    let (identifier, kind) = (identifier, kind)
    discard self
    try check(Self.closingCall(kind), subject(), Self.close(identifier, kind))
  }

  deinit {
    if closesWhenDropped { _ = Self.close(identifier, kind) }
  }

  private static func close(_ identifier: hid_t, _ kind: Kind) -> herr_t {
    switch kind {
    case .file: H5Fclose(identifier)
    case .object: H5Oclose(identifier)
    case .dataset: H5Dclose(identifier)
    case .attribute: H5Aclose(identifier)
    case .dataspace: H5Sclose(identifier)
    case .datatype: H5Tclose(identifier)
    case .propertyList: H5Pclose(identifier)
    }
  }

  private static func closingCall(_ kind: Kind) -> String {
    switch kind {
    case .file: "H5Fclose"
    case .object: "H5Oclose"
    case .dataset: "H5Dclose"
    case .attribute: "H5Aclose"
    case .dataspace: "H5Sclose"
    case .datatype: "H5Tclose"
    case .propertyList: "H5Pclose"
    }
  }
}
