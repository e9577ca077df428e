import CMPI

extension Communicator {
  /// Sends every rank its part of `send` and fills `receive` with what every rank has for this one.
  ///
  /// Rank r is sent the `sendCounts[r]` elements at `sendDisplacements[r]`; from rank r come `receiveCounts[r]` elements
  /// to `receiveDisplacements[r]`. What a rank sends another must be as long as what the other expects. The effect is
  /// that of MPI_Alltoallv (MPI 3.1, section 5.8) without its 32-bit counts and displacements.
  public func allToAllVariable(
    send: UnsafePointer<Float>, sendCounts: [Int], sendDisplacements: [Int],
    receive: UnsafeMutablePointer<Float>, receiveCounts: [Int], receiveDisplacements: [Int]
  ) throws(MPIError) {
    let exchange = try startAllToAllVariable(
      send: send, sendCounts: sendCounts, sendDisplacements: sendDisplacements,
      receive: receive, receiveCounts: receiveCounts, receiveDisplacements: receiveDisplacements)
    try exchange.wait()
  }

  /// Starts what `allToAllVariable` does and returns without waiting for it, so that it overlaps with computation.
  ///
  /// Until the exchange has been waited for, `send` must not be written to and `receive` not be touched. Messages of
  /// several exchanges are matched in the order in which the exchanges were started.
  public func startAllToAllVariable(
    send: UnsafePointer<Float>, sendCounts: [Int], sendDisplacements: [Int],
    receive: UnsafeMutablePointer<Float>, receiveCounts: [Int], receiveDisplacements: [Int]
  ) throws(MPIError) -> PendingExchange {
    precondition(
      [sendCounts, sendDisplacements, receiveCounts, receiveDisplacements].allSatisfy { $0.count == size },
      "one count and one displacement per rank")
    precondition((sendCounts + receiveCounts).allSatisfy { $0 >= 0 }, "counts cannot be negative")
    precondition(sendCounts[rank] == receiveCounts[rank], "what a rank keeps has one length")
    (receive + receiveDisplacements[rank]).update(from: send + sendDisplacements[rank], count: sendCounts[rank])

    // Point to point rather than MPI_Ialltoallv, which Open MPI carries out by these very messages: the two ends of a
    // pair cut a long part alike because both know its length, where a collective's ranks would first have to agree.
    // Each rank begins with the next one, so that they do not all begin with rank 0.
    var exchange = PendingExchange()
    do throws(MPIError) {
      for distance in 1..<size {
        let source = (rank + size - distance) % size
        for message in messages(count: receiveCounts[source]) {
          let start = receive + receiveDisplacements[source] + message.lowerBound
          try exchange.receive(start, count: message.count, from: source, over: self)
        }
      }
      for distance in 1..<size {
        let destination = (rank + distance) % size
        for message in messages(count: sendCounts[destination]) {
          let start = send + sendDisplacements[destination] + message.lowerBound
          try exchange.send(start, count: message.count, to: destination, over: self)
        }
      }
    } catch {
      exchange.abandon()
      throw error
    }
    return exchange
  }
}

/// Messages under way (MPI 3.1, section 3.7). Call `wait` before using the buffers; a value that is dropped waits too.
public struct PendingExchange: ~Copyable {
  private var requests: [ddpm_request] = []
  private static let tag: Int32 = 0x6464

  fileprivate init() {}

  fileprivate mutating func receive(
    _ start: UnsafeMutablePointer<Float>, count: Int, from source: Int, over communicator: Communicator
  ) throws(MPIError) {
    var request = ddpm_request()
    try check(
      "MPI_Irecv",
      ddpm_mpi_start_receive(
        start, Int32(count), ddpm_mpi_float(), Int32(source), Self.tag, communicator.handle, &request))
    requests.append(request)
  }

  fileprivate mutating func send(
    _ start: UnsafePointer<Float>, count: Int, to destination: Int, over communicator: Communicator
  ) throws(MPIError) {
    var request = ddpm_request()
    try check(
      "MPI_Isend",
      ddpm_mpi_start_send(
        start, Int32(count), ddpm_mpi_float(), Int32(destination), Self.tag, communicator.handle, &request))
    requests.append(request)
  }

  /// Forgets the messages started so far: with some missing the exchange can never end, only the job can.
  fileprivate mutating func abandon() { requests = [] }

  /// Gives the library a chance to move messages along, which it does only inside its functions, and returns whether
  /// all have arrived.
  public mutating func advance() throws(MPIError) -> Bool {
    var done: Int32 = 0
    try complete("MPI_Testall") { count, requests, statuses in ddpm_mpi_test_all(count, requests, &done, statuses) }
    return done != 0
  }

  /// Returns when all messages have arrived.
  public consuming func wait() throws(MPIError) {
    try complete("MPI_Waitall", ddpm_mpi_wait_all)
  }

  deinit {
    // The requests are MPI_REQUEST_NULL after `wait`, and there is nothing left to wait for. Otherwise the buffers must
    // stay until the library is done with them; nobody is left to be told of an error.
    var remaining = requests
    guard !remaining.isEmpty, MPISession.isInitialised else { return }
    var statuses = [MPI_Status](repeating: MPI_Status(), count: remaining.count)
    _ = ddpm_mpi_wait_all(Int32(remaining.count), &remaining, &statuses)
  }

  /// Completes requests and reports the error of the first message that has one: MPI_ERR_IN_STATUS names none.
  private mutating func complete(
    _ call: String, _ body: (Int32, UnsafeMutablePointer<ddpm_request>?, UnsafeMutablePointer<MPI_Status>?) -> Int32
  ) throws(MPIError) {
    guard !requests.isEmpty else { return try check(call, body(0, nil, nil)) }
    var statuses = [MPI_Status](repeating: MPI_Status(), count: requests.count)
    let code = body(Int32(requests.count), &requests, &statuses)
    if code == MPI_ERR_IN_STATUS {
      for status in statuses where status.MPI_ERROR != MPI_ERR_PENDING { try check(call, status.MPI_ERROR) }
    }
    try check(call, code)
  }
}
