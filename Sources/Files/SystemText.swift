import Glibc

/// The whole of a file in which the system describes itself, in /proc or /sys. Such files state no size and may give a
/// page at a time, so what reads ordinary files may get their beginnings only.
///
/// - Returns: nil if there is no such file, or it cannot be read to its end, or has more than a mebibyte.
package func systemText(_ path: String) -> String? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var part = [UInt8](repeating: 0, count: 1 << 14)
  while true {
    let count = read(descriptor, &part, part.count)
    if count == 0 { return String(decoding: bytes, as: UTF8.self) }
    guard count > 0 || errno == EINTR, bytes.count < 1 << 20 else { return nil }
    bytes += part.prefix(max(count, 0))
  }
}
