import CMessagePassing

/// A type whose values are sent in their memory representation.
package protocol MPIElement: BitwiseCopyable, Sendable {
  /// The library's datatype for it (MPI 3.1, section 3.2.2).
  static var datatype: MPIDatatype { get }
}

/// A datatype of the library.
package struct MPIDatatype {
  let handle: ddpm_datatype
}

extension UInt8: MPIElement {
  package static var datatype: MPIDatatype { MPIDatatype(handle: ddpm_mpi_byte()) }
}

extension UInt16: MPIElement {
  package static var datatype: MPIDatatype { MPIDatatype(handle: ddpm_mpi_uint16()) }
}

extension Int: MPIElement {
  package static var datatype: MPIDatatype { MPIDatatype(handle: ddpm_mpi_int64()) }
}

extension Float: MPIElement {
  package static var datatype: MPIDatatype { MPIDatatype(handle: ddpm_mpi_float()) }
}

extension Double: MPIElement {
  package static var datatype: MPIDatatype { MPIDatatype(handle: ddpm_mpi_double()) }
}
