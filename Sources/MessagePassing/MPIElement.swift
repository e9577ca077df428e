import CMPI

/// A type whose values are sent in their memory representation.
public protocol MPIElement: BitwiseCopyable, Sendable {
  /// The library's datatype for it (MPI 3.1, section 3.2.2).
  static var datatype: MPIDatatype { get }
}

/// A datatype of the library.
public struct MPIDatatype {
  let handle: ddpm_datatype
}

extension UInt8: MPIElement {
  public static var datatype: MPIDatatype { MPIDatatype(handle: ddpm_mpi_byte()) }
}

extension UInt16: MPIElement {
  public static var datatype: MPIDatatype { MPIDatatype(handle: ddpm_mpi_uint16()) }
}

extension Int: MPIElement {
  public static var datatype: MPIDatatype { MPIDatatype(handle: ddpm_mpi_int64()) }
}

extension Float: MPIElement {
  public static var datatype: MPIDatatype { MPIDatatype(handle: ddpm_mpi_float()) }
}

extension Double: MPIElement {
  public static var datatype: MPIDatatype { MPIDatatype(handle: ddpm_mpi_double()) }
}
