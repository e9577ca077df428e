import CMPI

extension Communicator {
  /// Copies the root's bytes into everybody's buffer (MPI 3.1, section 5.4).
  ///
  /// - Parameter buffer: of the same size on every rank.
  public func broadcast(_ buffer: UnsafeMutableRawBufferPointer, from root: Int) throws(MPIError) {
    precondition((0..<size).contains(root), "there is no rank \(root)")
    try wait("MPI_Bcast") { broadcastStatus(buffer, from: root) }
  }

  /// Returns the root's bytes on every rank. What the others pass is ignored, and may be of any length.
  public func broadcast(_ bytes: [UInt8], from root: Int) throws(MPIError) -> [UInt8] {
    var count = Int64(bytes.count)
    try withUnsafeMutableBytes(of: &count) { (buffer) throws(MPIError) in try broadcast(buffer, from: root) }
    var result = rank == root ? bytes : [UInt8](repeating: 0, count: Int(count))
    try wait("MPI_Bcast") { result.withUnsafeMutableBytes { broadcastStatus($0, from: root) } }
    return result
  }

  /// Returns the root's text on every rank. What the others pass is ignored.
  public func broadcast(_ text: String, from root: Int) throws(MPIError) -> String {
    String(decoding: try broadcast(Array(text.utf8), from: root), as: UTF8.self)
  }

  /// The code of the first message that failed, or MPI_SUCCESS.
  private func broadcastStatus(_ buffer: UnsafeMutableRawBufferPointer, from root: Int) -> Int32 {
    for message in messages(count: buffer.count) {
      let start = buffer.baseAddress! + message.lowerBound
      let status = ddpm_mpi_broadcast(start, Int32(message.count), ddpm_mpi_byte(), Int32(root), handle)
      guard status == MPI_SUCCESS else { return status }
    }
    return MPI_SUCCESS
  }
}
