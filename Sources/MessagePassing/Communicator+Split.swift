import CMPI

extension Communicator {
  /// Divides the ranks into groups, each with a communicator of its own, in which they keep their order (MPI 3.1,
  /// section 6.4.2). Errors are returned there as they are here.
  ///
  /// - Parameter group: at least 0; ranks that give the same number become one group. Nil joins none.
  /// - Returns: the communicator of this rank's group, or nil where it joined none.
  public func split(group: Int?) throws(MPIError) -> SplitCommunicator? {
    precondition((group ?? 0) >= 0, "a group's number cannot be negative")
    let color = try group.map { (group) throws(MPIError) in try int32(group, for: "MPI_Comm_split") }
    var handle = ddpm_communicator()
    try wait("MPI_Comm_split") { ddpm_mpi_split(self.handle, color ?? ddpm_mpi_undefined(), Int32(rank), &handle) }
    guard color != nil else { return nil }
    return try SplitCommunicator(handle: handle, messageLimit: messageLimit)
  }
}

/// The owner of a communicator that `split` made.
public struct SplitCommunicator: ~Copyable {
  /// To be used only while its owner is alive.
  public let communicator: Communicator
  private var isClosed = false

  fileprivate init(handle: ddpm_communicator, messageLimit: Int) throws(MPIError) {
    communicator = try Communicator(handle: handle).limitingMessages(to: messageLimit)
  }

  /// Gives the communicator back to the library (MPI 3.1, section 6.4.3). Collective over its ranks.
  public consuming func close() throws(MPIError) {
    var handle = communicator.handle
    isClosed = true
    try check("MPI_Comm_free", ddpm_mpi_free(&handle))
  }

  deinit {
    // A safety net for errors on the way, when nobody is left to be told of another one.
    guard !isClosed, MPISession.isInitialised else { return }
    var handle = communicator.handle
    _ = ddpm_mpi_free(&handle)
  }
}
