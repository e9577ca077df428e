import FoundationEssentials
import Glibc

/// One end of a connection between two processes, for messages of any length.
struct MessageSocket: ~Copyable {
  let descriptor: Int32

  /// Takes over a descriptor.
  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  /// Creates a connected pair of descriptors; neither is inherited by programs that this one starts.
  static func pair() -> (Int32, Int32)? {
    var ends: [Int32] = [-1, -1]
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return nil }
    return (ends[0], ends[1])
  }

  /// - Returns: false if the other end is closed.
  borrowing func send(_ message: Data) -> Bool {
    let length = withUnsafeBytes(of: UInt64(message.count)) { Data($0) }
    return sendBytes(length) && sendBytes(message)
  }

  /// - Returns: nil if the other end is closed.
  borrowing func receive() -> Data? {
    guard let length = receiveBytes(8)?.withUnsafeBytes({ $0.loadUnaligned(as: UInt64.self) }) else { return nil }
    return Int(exactly: length).flatMap { receiveBytes($0) }
  }

  private borrowing func sendBytes(_ bytes: Data) -> Bool {
    bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        // No signal if the other end is closed.
        let count = Glibc.send(descriptor, bytes.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        done += count
      }
      return true
    }
  }

  private borrowing func receiveBytes(_ count: Int) -> Data? {
    var bytes = Data(count: count)
    let isWhole = bytes.withUnsafeMutableBytes { bytes in
      var done = 0
      while done < count {
        let received = recv(descriptor, bytes.baseAddress! + done, count - done, 0)
        if received < 0 && errno == EINTR { continue }
        guard received > 0 else { return false }
        done += received
      }
      return true
    }
    return isWhole ? bytes : nil
  }
}
