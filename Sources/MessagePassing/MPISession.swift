import CMessagePassing
import Glibc
import Synchronization

/// The process's membership in an MPI job, from `MPI_Init_thread` to `MPI_Finalize` (MPI 3.1, sections 8.7 and 12.4).
///
/// Without a launcher, a process becomes a job of one rank. Calls into MPI may come from any thread, one at a time, or
/// from several threads at once if `allowsConcurrentCalls`.
package enum MPISession {
  private static let current = Mutex<Communicator?>(nil)
  private static let severalThreads = Atomic<Bool>(false)

  /// Whether several threads may call the library at once (`MPI_THREAD_MULTIPLE`), each on a communicator of its own.
  package static var allowsConcurrentCalls: Bool {
    severalThreads.load(ordering: .relaxed)
  }

  /// Joins the job and returns the communicator of all its ranks; later calls return the same one.
  ///
  /// Errors on that communicator are from then on returned to the caller instead of ending the job.
  @discardableResult
  package static func initialise() throws(MPIError) -> Communicator {
    try current.withLock { world throws(MPIError) in
      if let world { return world }
      let joined = try join()
      world = joined
      return joined
    }
  }

  private static func join() throws(MPIError) -> Communicator {
    avoidSharedFilePointers()
    var granted = ddpm_single_thread
    try check("MPI_Init_thread", ddpm_mpi_initialise(&granted))
    guard granted != ddpm_single_thread else {
      throw MPIError(
        call: "MPI_Init_thread", code: ddpm_mpi_other_error(),
        message: "this MPI library may be called by one thread only, but MPI_THREAD_SERIALIZED is needed")
    }
    severalThreads.store(granted == ddpm_several_threads, ordering: .relaxed)
    try check("MPI_Comm_set_errhandler", ddpm_mpi_return_errors(ddpm_mpi_world()))
    return try Communicator(handle: ddpm_mpi_world())
  }

  /// Keeps Open MPI from preparing a file pointer that ranks share, as it does whenever they open a file. `SharedFile`
  /// reads and writes only at explicit offsets.
  ///
  /// Two of Open MPI's three components for such pointers make files next to the opened one: `lockedfile` one for each
  /// rank, just to see whether the file system has locks, and `individual` two for each rank that writes. The third,
  /// `sm`, is left, since Open MPI opens no file if there is none; it makes a small file in the job's temporary folder,
  /// and only if all ranks are on one host. The user's own choice (`mpirun --mca sharedfp`) has precedence.
  private static func avoidSharedFilePointers() { setenv("OMPI_MCA_sharedfp", "^lockedfile,individual", 0) }

  /// All ranks of the job, from a successful `initialise` until `finalise`.
  static var world: Communicator? { current.withLock { $0 } }

  /// Whether this process is currently a member of a job.
  package static var isInitialised: Bool { world != nil }

  /// Leaves the job. Every rank must call it; afterwards MPI cannot be initialised again in this process.
  package static func finalise() throws(MPIError) {
    guard let world = current.withLock({ $0.take() }) else { return }
    if MPILibrary.mustFinaliseTogether && world.size > 1 {
      try world.barrier()
      usleep(finalisationPause)
    }
    try check("MPI_Finalize", ddpm_mpi_finalise())
  }

  /// How long no rank answers another one before it finalises, where `MPILibrary.mustFinaliseTogether`: by then all
  /// have left the barrier, so that each asks the others before it answers them. In microseconds.
  private static let finalisationPause: UInt32 = 300_000

  /// Ends every process of the job at once, with `status` as the launcher's exit status (MPI 3.1, section 8.7).
  package static func abort(status: Int32) -> Never {
    fflush(nil)
    if let world { _ = ddpm_mpi_abort(world.handle, status) }
    exit(status)
  }
}
