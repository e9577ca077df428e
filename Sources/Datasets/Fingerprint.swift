import Glibc

/// A hash of bytes and numbers that is the same on all machines: eight bytes at a time, multiplied and folded.
struct Fingerprint {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  /// The hash of some numbers, to which more can be added.
  init(_ numbers: [Int] = []) {
    for number in numbers { add(number) }
  }

  mutating func add(_ word: UInt64) {
    value = (value ^ word) &* 0x9e37_79b9_7f4a_7c15
    value ^= value >> 32
  }

  mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }

  mutating func add(_ text: String) { add(Array(text.utf8)) }

  mutating func add(_ elements: [some BitwiseCopyable]) {
    elements.withUnsafeBytes { buffer in
      add(buffer.count)
      let wholeWords = buffer.count / 8
      for word in 0..<wholeWords {
        add(UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self)))
      }
      for index in wholeWords * 8..<buffer.count { add(UInt64(buffer[index])) }
    }
  }

  static func of(_ words: [UInt64]) -> UInt64 {
    var fingerprint = Fingerprint()
    for word in words { fingerprint.add(word) }
    return fingerprint.value
  }
}

/// A number that changes whenever a file is written; 0 for a missing file.
func modificationMark(_ path: String) -> UInt64 {
  var information = stat()
  guard stat(path, &information) == 0 else { return 0 }
  return Fingerprint.of([
    UInt64(bitPattern: Int64(information.st_mtim.tv_sec)), UInt64(bitPattern: Int64(information.st_mtim.tv_nsec)),
    UInt64(bitPattern: Int64(information.st_size)),
  ])
}
