import CHDF5

/// Owns one of the library's identifiers and closes it.
struct Handle: ~Copyable {
  enum Kind {
    case file, object, dataset, attribute, dataspace, datatype, propertyList

    /// The library's function that closes such an identifier, and its name.
    fileprivate var closing: (name: String, function: (hid_t) -> herr_t) {
      switch self {
      case .file: ("H5Fclose", H5Fclose)
      case .object: ("H5Oclose", H5Oclose)
      case .dataset: ("H5Dclose", H5Dclose)
      case .attribute: ("H5Aclose", H5Aclose)
      case .dataspace: ("H5Sclose", H5Sclose)
      case .datatype: ("H5Tclose", H5Tclose)
      case .propertyList: ("H5Pclose", H5Pclose)
      }
    }
  }

  let identifier: hid_t
  private let kind: Kind

  /// Takes over the result of `call`.
  init(
    _ kind: Kind, _ call: String, _ subject: @autoclosure () -> String, _ identifier: hid_t
  ) throws(HDF5Error) {
    try check(call, subject(), identifier)
    self.identifier = identifier
    self.kind = kind
  }

  /// Closes the identifier and reports failures; for a file they may mean that data could not be written.
  consuming func close(_ subject: @autoclosure () -> String) throws(HDF5Error) {
    let (identifier, closing) = (identifier, kind.closing)
    discard self
    try check(closing.name, subject(), closing.function(identifier))
  }

  deinit { _ = kind.closing.function(identifier) }
}
