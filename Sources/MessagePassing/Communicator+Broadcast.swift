import CMPI
import Tensors

extension Communicator {
  /// Copies the root's elements into every rank's buffer (MPI 3.1, section 5.4).
  ///
  /// - Parameter buffer: of the same size on every rank.
  public func broadcast<Element: MPIElement>(_ buffer: Buffer<Element>, from root: Int) throws(MPIError) {
    try broadcast(buffer.pointer, count: buffer.count, from: root)
    withExtendedLifetime(buffer) {}
  }

  func broadcast<Element: MPIElement>(
    _ elements: UnsafeMutablePointer<Element>, count: Int, from root: Int
  ) throws(MPIError) {
    precondition((0..<size).contains(root), "there is no rank \(root)")
    for message in messages(count: count) {
      try wait("MPI_Bcast") {
        ddpm_mpi_broadcast(
          elements + message.lowerBound, Int32(message.count), Element.datatype.handle, Int32(root), handle)
      }
    }
  }
}
