/// The lines of a file from last to first, read in pieces.
struct BackwardLines {
  /// Only the last bytes of a longer line are returned.
  static let lengthLimit = 1 << 20

  private static let pieceSize = 1 << 18

  /// The size of the file.
  let size: Int
  /// Fills the buffer with the bytes of a range of the file.
  let read: (Range<Int>, UnsafeMutableRawBufferPointer) throws -> Void

  /// Calls `body` with each line, without its line end. The text after the last line end comes first, with `hasEnd`
  /// false; it may be empty.
  func forEach(_ body: (_ line: UnsafeRawBufferPointer, _ hasEnd: Bool) -> Void) throws {
    let newline = UInt8(ascii: "\n")
    // The end of a line whose beginning has not been read yet.
    var rest: [UInt8] = []
    var hasEnd = false
    func finish(_ beginning: UnsafeRawBufferPointer) {
      if rest.isEmpty {
        body(beginning, hasEnd)
      } else {
        if rest.count <= Self.lengthLimit { rest.insert(contentsOf: beginning, at: 0) }
        rest.withUnsafeBytes { body($0, hasEnd) }
        rest.removeAll(keepingCapacity: true)
      }
      hasEnd = true
    }
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, min(Self.pieceSize, size)), alignment: 16)
    defer { piece.deallocate() }
    var end = size
    while end > 0 {
      let start = max(0, end - Self.pieceSize)
      let bytes = UnsafeMutableRawBufferPointer(rebasing: piece[..<(end - start)])
      try read(start..<end, bytes)
      var lineEnd = bytes.count
      while let index = bytes[..<lineEnd].lastIndex(of: newline) {
        finish(UnsafeRawBufferPointer(rebasing: bytes[(index + 1)..<lineEnd]))
        lineEnd = index
      }
      if rest.count <= Self.lengthLimit { rest.insert(contentsOf: bytes[..<lineEnd], at: 0) }
      end = start
    }
    finish(UnsafeRawBufferPointer(start: nil, count: 0))
  }
}
