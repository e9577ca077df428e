import CMPI
import Tensors

/// Pending messages between pairs of ranks (MPI 3.1, section 3.7). They are started one by one and completed together;
/// when all have arrived, the set is empty and can be reused.
///
/// To be used by one thread at a time. The set holds the buffers until `advance` returns true; until then, sent data
/// must not change and received data must not be accessed. If the set is released earlier, for instance after an error,
/// the buffers are leaked, since the library may still read and write them.
package final class MessageSet {
  private let communicator: Communicator
  private var requests: [ddpm_request] = []
  /// The buffers that the requests read and write.
  private var buffers: [AnyObject] = []
  private var statuses: [MPI_Status] = []

  /// Tags are below this in every MPI library.
  package static let tagLimit = 1 << 15

  /// - Parameter capacity: the number of messages for which memory is reserved.
  package init(_ communicator: Communicator, capacity: Int) {
    self.communicator = communicator
    requests.reserveCapacity(capacity)
    buffers.reserveCapacity(capacity)
    statuses.reserveCapacity(capacity)
  }

  deinit {
    for buffer in buffers { _ = Unmanaged.passRetained(buffer) }
  }

  /// Starts to receive part of a buffer. Of messages from one rank with one tag, the one sent first is received first.
  package func receive<Element: MPIElement>(
    _ range: Range<Int>, of buffer: Buffer<Element>, from source: Int, tag: Int
  ) throws(MPIError) {
    try start("MPI_Irecv", range, of: buffer, tag) { start, count, tag, request in
      ddpm_mpi_start_receive(
        start, count, Element.datatype.handle, Int32(source), tag, communicator.handle, &request)
    }
  }

  /// Starts to send part of a buffer.
  package func send<Element: MPIElement>(
    _ range: Range<Int>, of buffer: Buffer<Element>, to destination: Int, tag: Int
  ) throws(MPIError) {
    try start("MPI_Isend", range, of: buffer, tag) { start, count, tag, request in
      ddpm_mpi_start_send(
        start, count, Element.datatype.handle, Int32(destination), tag, communicator.handle, &request)
    }
  }

  private func start<Element: MPIElement>(
    _ name: String, _ range: Range<Int>, of buffer: Buffer<Element>, _ tag: Int,
    _ call: (UnsafeMutablePointer<Element>, Int32, Int32, inout ddpm_request) -> Int32
  ) throws(MPIError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count, "\(range) is outside of the buffer")
    precondition((0..<Self.tagLimit).contains(tag), "\(tag) is not a valid tag")
    var request = ddpm_request()
    let count = try int32(range.count, for: "a message")
    try check(name, call(buffer.pointer + range.lowerBound, count, Int32(tag), &request))
    requests.append(request)
    buffers.append(buffer)
  }

  /// Cancels receives whose messages have not arrived. No send may be pending.
  package func cancelReceives() {
    for index in requests.indices { _ = ddpm_mpi_cancel(&requests[index]) }
    forgetAll()
  }

  /// Lets the library move messages, which it does only inside its functions, and returns whether all have arrived.
  package func advance() throws(MPIError) -> Bool {
    guard !requests.isEmpty else { return true }
    while statuses.count < requests.count { statuses.append(MPI_Status()) }
    var done: Int32 = 0
    let code = ddpm_mpi_test_all(Int32(requests.count), &requests, &done, &statuses)
    if code == MPI_ERR_IN_STATUS {
      // This code does not identify an error; that of the first failed message does.
      for status in statuses.prefix(requests.count) where status.MPI_ERROR != MPI_ERR_PENDING {
        try check("MPI_Testall", status.MPI_ERROR)
      }
    }
    try check("MPI_Testall", code)
    if done != 0 { forgetAll() }
    return done != 0
  }

  private func forgetAll() {
    requests.removeAll(keepingCapacity: true)
    buffers.removeAll(keepingCapacity: true)
  }
}
