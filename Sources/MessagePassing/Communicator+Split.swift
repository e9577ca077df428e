import CMessagePassing

extension Communicator {
  /// Divides the ranks into groups, each with a communicator of its own, in which they keep their order (MPI 3.1,
  /// section 6.4.2). The new communicators have the same error handling.
  ///
  /// - Parameter group: at least 0; ranks with the same number form a group. nil joins none.
  /// - Returns: the communicator of this rank's group, or nil if it joined none.
  package func split(group: Int?) throws(MPIError) -> SplitCommunicator? {
    precondition((group ?? 0) >= 0, "a group's number must not be negative")
    let color = try group.map { (group) throws(MPIError) in try int32(group, for: "MPI_Comm_split") }
    var handle = ddpm_communicator()
    try wait("MPI_Comm_split") { ddpm_mpi_split(self.handle, color ?? -1, Int32(rank), &handle) }
    guard color != nil else { return nil }
    return try SplitCommunicator(handle: handle, messageLimit: messageLimit)
  }
}

/// The owner of a communicator created by `split`.
package struct SplitCommunicator: ~Copyable {
  /// Valid only while its owner is alive.
  package let communicator: Communicator
  private var isClosed = false

  fileprivate init(handle: ddpm_communicator, messageLimit: Int) throws(MPIError) {
    communicator = try Communicator(handle: handle).limitingMessages(to: messageLimit)
  }

  /// Releases the communicator (MPI 3.1, section 6.4.3). Collective over its ranks.
  package consuming func close() throws(MPIError) {
    var handle = communicator.handle
    isClosed = true
    try check("MPI_Comm_free", ddpm_mpi_free(&handle))
  }

  deinit {
    // A safety net after an error, when no further error can be reported.
    guard !isClosed, MPISession.isInitialised else { return }
    var handle = communicator.handle
    _ = ddpm_mpi_free(&handle)
  }
}
