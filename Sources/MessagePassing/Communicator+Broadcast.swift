import CMessagePassing
import Tensors

extension Communicator {
  /// Copies the root's elements into every rank's buffer (MPI 3.1, section 5.4).
  /// - Parameters:
  ///   - buffer: of the same size on every rank.
  ///   - part: which elements, the same on every rank; by default all.
  package func broadcast<Element: MPIElement>(
    _ buffer: Buffer<Element>, part: Range<Int>? = nil, from root: Int
  ) throws(MPIError) {
    precondition((0..<size).contains(root), "there is no rank \(root)")
    let elements = buffer[part ?? 0..<buffer.count]
    for message in messages(count: elements.count) {
      try wait("MPI_Bcast") {
        ddpm_mpi_broadcast(
          elements.pointer + message.lowerBound, Int32(message.count), Element.datatype.handle, Int32(root), handle)
      }
    }
    withExtendedLifetime(buffer) {}
  }
}
