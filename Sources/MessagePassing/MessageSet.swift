import CMPI

/// Messages between pairs of ranks that are under way (MPI 3.1, section 3.7). Started one by one, they are looked after
/// together; when all have arrived the set is empty and takes others.
///
/// To be used by one thread at a time. Buffers must stay, those sent unchanged and those received untouched, until
/// `advance` has said that all is done; a set that is dropped before leaves its messages to the library.
public final class MessageSet {
  private let communicator: Communicator
  private var requests: [ddpm_request] = []
  private var statuses: [MPI_Status] = []

  /// Tags are below this in every MPI library.
  public static let tagLimit = 1 << 15

  /// - Parameter capacity: messages for which room is made at once.
  public init(_ communicator: Communicator, capacity: Int) {
    self.communicator = communicator
    requests.reserveCapacity(capacity)
    statuses.reserveCapacity(capacity)
  }

  /// Whether all messages have arrived, or none were started.
  public var isEmpty: Bool { requests.isEmpty }

  /// Starts to receive `count` elements. Of messages from one rank with one tag, the one sent first is received first.
  public func receive<Element: MPIElement>(
    _ start: UnsafeMutablePointer<Element>, count: Int, from source: Int, tag: Int
  ) throws(MPIError) {
    var request = ddpm_request()
    try check(
      "MPI_Irecv",
      ddpm_mpi_start_receive(
        start, try messageCount(count), Element.datatype.handle, Int32(source), Self.checked(tag), communicator.handle,
        &request))
    requests.append(request)
  }

  /// Starts to send `count` elements.
  public func send<Element: MPIElement>(
    _ start: UnsafePointer<Element>, count: Int, to destination: Int, tag: Int
  ) throws(MPIError) {
    var request = ddpm_request()
    try check(
      "MPI_Isend",
      ddpm_mpi_start_send(
        start, try messageCount(count), Element.datatype.handle, Int32(destination), Self.checked(tag),
        communicator.handle, &request))
    requests.append(request)
  }

  /// Takes back what was asked to be received and has not come. Nothing sent may be under way.
  public func cancelReceives() {
    for index in requests.indices { _ = ddpm_mpi_cancel(&requests[index]) }
    requests.removeAll(keepingCapacity: true)
  }

  /// Gives the library a chance to move messages along, which it does only inside its functions, and returns whether
  /// all have arrived.
  public func advance() throws(MPIError) -> Bool {
    guard !requests.isEmpty else { return true }
    while statuses.count < requests.count { statuses.append(MPI_Status()) }
    var done: Int32 = 0
    let code = ddpm_mpi_test_all(Int32(requests.count), &requests, &done, &statuses)
    if code == MPI_ERR_IN_STATUS {
      // This code names no error; that of the first message that has one does.
      for status in statuses.prefix(requests.count) where status.MPI_ERROR != MPI_ERR_PENDING {
        try check("MPI_Testall", status.MPI_ERROR)
      }
    }
    try check("MPI_Testall", code)
    if done != 0 { requests.removeAll(keepingCapacity: true) }
    return done != 0
  }

  private func messageCount(_ count: Int) throws(MPIError) -> Int32 { try int32(count, for: "a message") }

  private static func checked(_ tag: Int) -> Int32 {
    precondition((0..<tagLimit).contains(tag), "\(tag) is no tag")
    return Int32(tag)
  }
}
