import CMessagePassing
import Tensors

extension Communicator {
  /// The maximum of all ranks' values (MPI 3.1, section 5.9.6).
  package func allReduceMaximum<Element: MPIElement>(_ value: Element) throws(MPIError) -> Element {
    try allReduce(value, ddpm_mpi_maximum())
  }

  /// The minimum of all ranks' values (MPI 3.1, section 5.9.6).
  package func allReduceMinimum<Element: MPIElement>(_ value: Element) throws(MPIError) -> Element {
    try allReduce(value, ddpm_mpi_minimum())
  }

  /// The sum of all ranks' values (MPI 3.1, section 5.9.6).
  package func allReduceSum<Element: MPIElement>(_ value: Element) throws(MPIError) -> Element {
    try allReduce(value, ddpm_mpi_sum())
  }

  /// Replaces every rank's buffer by the sum over ranks, element by element (MPI 3.1, section 5.9.6).
  ///
  /// The library chooses the order of the additions, and with it the rounding: the result depends on the number of
  /// ranks. Training therefore averages gradients in another way, and uses this only to compare speeds.
  ///
  /// - Parameter buffer: of the same size on every rank.
  package func allReduceSum<Element: MPIElement>(_ buffer: Buffer<Element>) throws(MPIError) {
    for message in messages(count: buffer.count) {
      try wait("MPI_Allreduce") {
        ddpm_mpi_all_reduce_in_place(
          buffer.pointer + message.lowerBound, Int32(message.count), Element.datatype.handle, ddpm_mpi_sum(), handle)
      }
    }
    withExtendedLifetime(buffer) {}
  }

  private func allReduce<Element: MPIElement>(
    _ value: Element, _ operation: ddpm_operation
  ) throws(MPIError) -> Element {
    var result = value
    try wait("MPI_Allreduce") {
      ddpm_mpi_all_reduce_in_place(&result, 1, Element.datatype.handle, operation, handle)
    }
    return result
  }
}
