import CHDF5

/// The number types that a dataset may contain; in files they are little-endian.
package enum ElementType: String, Codable, Sendable, CaseIterable {
  case float32, float64, int32, int64, uint8, uint32

  /// Bytes per element.
  package var byteCount: Int {
    switch self {
    case .uint8: 1
    case .float32, .int32, .uint32: 4
    case .float64, .int64: 8
    }
  }

  /// The library's types for elements in memory and in a new file.
  var libraryTypes: (memory: hid_t, file: hid_t) {
    switch self {
    case .float32: (ddpm_hdf5_native_float(), ddpm_hdf5_file_float())
    case .float64: (ddpm_hdf5_native_double(), ddpm_hdf5_file_double())
    case .int32: (ddpm_hdf5_native_int32(), ddpm_hdf5_file_int32())
    case .int64: (ddpm_hdf5_native_int64(), ddpm_hdf5_file_int64())
    case .uint8: (ddpm_hdf5_native_uint8(), ddpm_hdf5_file_uint8())
    case .uint32: (ddpm_hdf5_native_uint32(), ddpm_hdf5_file_uint32())
    }
  }

  /// The element type that represents all values of one of the library's types exactly, or nil.
  init?(of datatype: hid_t) {
    let isSigned = H5Tget_sign(datatype) == H5T_SGN_2
    switch (H5Tget_class(datatype), H5Tget_size(datatype)) {
    case (H5T_FLOAT, 4): self = .float32
    case (H5T_FLOAT, 8): self = .float64
    case (H5T_INTEGER, 1) where !isSigned: self = .uint8
    case (H5T_INTEGER, 4): self = isSigned ? .int32 : .uint32
    case (H5T_INTEGER, 8) where isSigned: self = .int64
    default: return nil
    }
  }
}

/// A Swift number type that datasets can contain.
package protocol HDF5Element: BitwiseCopyable, Sendable {
  static var elementType: ElementType { get }
}

extension Float: HDF5Element {
  package static var elementType: ElementType { .float32 }
}

extension Double: HDF5Element {
  package static var elementType: ElementType { .float64 }
}

extension Int32: HDF5Element {
  package static var elementType: ElementType { .int32 }
}

extension Int64: HDF5Element {
  package static var elementType: ElementType { .int64 }
}

extension UInt8: HDF5Element {
  package static var elementType: ElementType { .uint8 }
}

extension UInt32: HDF5Element {
  package static var elementType: ElementType { .uint32 }
}
