import CMessagePassing
import Tensors

/// Pending messages between pairs of ranks (MPI 3.1, section 3.7). They are started one by one and completed together;
/// when all have arrived, the set is empty and can be reused.
///
/// To be used by one thread at a time. The set holds the buffers until `advance` returns true; until then, sent data
/// must not change and received data must not be accessed. If the set is released earlier, for instance after an error,
/// the buffers are leaked, since the library may still read and write them.
package final class MessageSet {
  private let communicator: Communicator
  private let messages: OpaquePointer
  /// The buffers that the messages read and write.
  private var buffers: [AnyObject] = []

  /// Tags are below this in every MPI library.
  package static let tagLimit = 1 << 15

  /// - Parameter capacity: the number of messages for which memory is reserved.
  package init(_ communicator: Communicator, capacity: Int) {
    guard let messages = ddpm_mpi_make_messages(Int32(capacity)) else {
      fatalError("there is no memory for \(capacity) messages")
    }
    self.communicator = communicator
    self.messages = messages
    buffers.reserveCapacity(capacity)
  }

  deinit {
    for buffer in buffers { _ = Unmanaged.passRetained(buffer) }
    ddpm_mpi_free_messages(messages)
  }

  /// Starts to receive part of a buffer. Of messages from one rank with one tag, the one sent first is received first.
  package func receive<Element: MPIElement>(
    _ range: Range<Int>, of buffer: Buffer<Element>, from source: Int, tag: Int
  ) throws(MPIError) {
    try start("MPI_Irecv", range, of: buffer, tag) { start, count, tag in
      ddpm_mpi_start_receive(
        messages, start, count, Element.datatype.handle, Int32(source), tag, communicator.handle)
    }
  }

  /// Starts to send part of a buffer.
  package func send<Element: MPIElement>(
    _ range: Range<Int>, of buffer: Buffer<Element>, to destination: Int, tag: Int
  ) throws(MPIError) {
    try start("MPI_Isend", range, of: buffer, tag) { start, count, tag in
      ddpm_mpi_start_send(
        messages, start, count, Element.datatype.handle, Int32(destination), tag, communicator.handle)
    }
  }

  private func start<Element: MPIElement>(
    _ name: String, _ range: Range<Int>, of buffer: Buffer<Element>, _ tag: Int,
    _ call: (UnsafeMutablePointer<Element>, Int32, Int32) -> Int32
  ) throws(MPIError) {
    precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count, "\(range) is outside of the buffer")
    precondition((0..<Self.tagLimit).contains(tag), "\(tag) is not a valid tag")
    let count = try int32(range.count, for: "a message")
    try check(name, call(buffer.pointer + range.lowerBound, count, Int32(tag)))
    buffers.append(buffer)
  }

  /// Cancels receives whose messages have not arrived. No send may be pending.
  package func cancelReceives() {
    ddpm_mpi_cancel_all(messages)
    buffers.removeAll(keepingCapacity: true)
  }

  /// Lets the library move messages, which it does only inside its functions, and returns whether all have arrived.
  package func advance() throws(MPIError) -> Bool {
    guard !buffers.isEmpty else { return true }
    var done: Int32 = 0
    try check("MPI_Testall", ddpm_mpi_test_all(messages, &done))
    if done != 0 { buffers.removeAll(keepingCapacity: true) }
    return done != 0
  }
}
