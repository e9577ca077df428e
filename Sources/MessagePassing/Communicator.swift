import CMessagePassing

/// A group of processes that exchange messages among themselves (MPI 3.1, chapter 6).
///
/// Every operation here is collective: all ranks must call it, in the same order, or the ranks that did wait forever.
///
/// Sending a communicator to another task is sound, because it is only a handle to state inside the library. The
/// program must ensure that calls on one communicator do not overlap.
package struct Communicator: @unchecked Sendable {
  package let handle: ddpm_communicator
  /// This process's number, 0 ..< `size`.
  package let rank: Int
  /// The number of processes.
  package let size: Int
  /// The maximum number of elements in one message; longer buffers are sent in several. MPI 3.1 counts with 32 bits,
  /// and some transports fail on messages of 2 GiB and more.
  package let messageLimit: Int

  /// Records whether the thread that uses this communicator is waiting for other ranks.
  package let waits: WaitRecord

  private static let defaultMessageLimit = 1 << 27

  /// The same communicator with another `messageLimit`, which must be the same on all ranks.
  package func limitingMessages(to elementCount: Int) -> Communicator {
    precondition((1...Int(Int32.max)).contains(elementCount), "a message must hold between 1 and 2^31 - 1 elements")
    return Communicator(handle: handle, rank: rank, size: size, messageLimit: elementCount, waits: waits)
  }

  /// The name of the host this process runs on (MPI 3.1, section 8.1.2).
  package var processorName: String {
    get throws(MPIError) {
      try text("MPI_Get_processor_name", ddpm_mpi_processor_name)
    }
  }

  /// Returns once every rank has called it (MPI 3.1, section 5.3).
  package func barrier() throws(MPIError) {
    try wait("MPI_Barrier") { ddpm_mpi_barrier(handle) }
  }

  /// Returns once every rank has called it, and sleeps until then. `barrier` reacts faster but keeps a core busy; this
  /// one leaves it to other threads, but after a long wait it may notice the last rank a millisecond late (MPI 3.1,
  /// sections 5.12.1 and 3.7.3).
  package func sleepingBarrier() throws(MPIError) {
    var request = ddpm_request()
    try check("MPI_Ibarrier", ddpm_mpi_start_barrier(handle, &request))
    var done: Int32 = 0
    var pause = PollingPause(minimum: 20)
    try waits.during { () throws(MPIError) in
      while true {
        try check("MPI_Test", ddpm_mpi_test(&request, &done))
        if done != 0 { return }
        pause.take()
      }
    }
  }

  /// Makes a call that returns when other ranks have made the matching calls.
  func wait(_ name: String, _ call: () -> Int32) throws(MPIError) {
    let code = waits.during { call() }
    try check(name, code)
  }

  /// Divides 0..<count into consecutive ranges of at most `messageLimit` elements; empty for a count of zero.
  func messages(count: Int) -> some Sequence<Range<Int>> {
    stride(from: 0, to: count, by: messageLimit).map { start in start..<min(start + messageLimit, count) }
  }
}

extension Communicator {
  init(handle: ddpm_communicator) throws(MPIError) {
    var rank: Int32 = 0
    var size: Int32 = 0
    try check("MPI_Comm_rank", ddpm_mpi_rank(handle, &rank))
    try check("MPI_Comm_size", ddpm_mpi_size(handle, &size))
    self.init(
      handle: handle, rank: Int(rank), size: Int(size), messageLimit: Self.defaultMessageLimit, waits: WaitRecord())
  }
}
