import Files

/// Only the last bytes of a longer line are read.
private let lengthLimit = 1 << 20
private let pieceSize = 1 << 18

/// Calls `body` with each line of a file from last to first, without its line end; the file is read in pieces. The text
/// after the last line end comes first, with `hasEnd` false; it may be empty. Data written meanwhile are left for the
/// next time.
func forEachLineBackward(
  in file: borrowing RegularFile, _ body: (_ line: UnsafeRawBufferPointer, _ hasEnd: Bool) -> Void
) throws(FileError) {
  let newline = UInt8(ascii: "\n")
  // The end of a line whose beginning has not been read yet.
  var rest: [UInt8] = []
  var hasEnd = false
  func finish(_ beginning: UnsafeRawBufferPointer) {
    if rest.isEmpty {
      body(beginning, hasEnd)
    } else {
      if rest.count <= lengthLimit { rest.insert(contentsOf: beginning, at: 0) }
      rest.withUnsafeBytes { body($0, hasEnd) }
      rest.removeAll(keepingCapacity: true)
    }
    hasEnd = true
  }
  let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, min(pieceSize, file.size)), alignment: 16)
  defer { piece.deallocate() }
  var end = file.size
  while end > 0 {
    let start = max(0, end - pieceSize)
    let bytes = UnsafeMutableRawBufferPointer(rebasing: piece[..<(end - start)])
    guard try file.read(at: start, into: bytes) == bytes.count else {
      throw FileError("cannot read \(file.path): it became shorter while it was read; try again")
    }
    var lineEnd = bytes.count
    while let index = bytes[..<lineEnd].lastIndex(of: newline) {
      finish(UnsafeRawBufferPointer(rebasing: bytes[(index + 1)..<lineEnd]))
      lineEnd = index
    }
    if rest.count <= lengthLimit { rest.insert(contentsOf: bytes[..<lineEnd], at: 0) }
    end = start
  }
  finish(UnsafeRawBufferPointer(start: nil, count: 0))
}
