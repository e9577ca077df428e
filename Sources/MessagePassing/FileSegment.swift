import Tensors

/// Bytes that lie together both in a file and in memory.
///
/// It keeps the memory alive.
package struct FileSegment {
  /// The position of the first byte in the file.
  package let offset: Int
  package let byteCount: Int
  let memory: UnsafeMutableRawPointer
  private let owner: AnyObject

  /// - Parameter elements: read or overwritten, as they are in memory.
  package init<Element>(offset: Int, _ elements: TypedTensor<Element>) {
    precondition(offset >= 0, "a file has no place before its first byte")
    self.offset = offset
    byteCount = elements.count * MemoryLayout<Element>.stride
    memory = UnsafeMutableRawPointer(elements.pointer)
    owner = elements.buffer
  }
}

/// A part of one or more segments, contiguous in the file and in memory.
struct FileBlock: Equatable {
  var offset: Int
  /// The address of the first byte in memory.
  var address: Int
  var byteCount: Int

  /// Joins segments that follow one another in the file and in memory, and divides them into transfers of at most
  /// `limit` bytes.
  /// - Parameter segments: without overlap in the file.
  /// - Returns: for each transfer its blocks, from left to right in the file.
  static func transfers(of segments: [FileSegment], limit: Int) -> [[FileBlock]] {
    precondition((1...Int(Int32.max)).contains(limit), "a transfer has between 1 and 2^31 - 1 bytes")
    var joined: [FileBlock] = []
    for segment in segments.sorted(by: { $0.offset < $1.offset }) where segment.byteCount > 0 {
      let block = FileBlock(
        offset: segment.offset, address: Int(bitPattern: segment.memory), byteCount: segment.byteCount)
      if let last = joined.last {
        precondition(last.end <= block.offset, "segments overlap in the file")
        if last.end == block.offset && last.address + last.byteCount == block.address {
          joined[joined.count - 1].byteCount += block.byteCount
          continue
        }
      }
      joined.append(block)
    }
    var transfers: [[FileBlock]] = []
    var room = 0
    for var block in joined {
      while block.byteCount > 0 {
        if room == 0 {
          transfers.append([])
          room = limit
        }
        let count = min(block.byteCount, room)
        transfers[transfers.count - 1].append(
          FileBlock(offset: block.offset, address: block.address, byteCount: count))
        room -= count
        block = FileBlock(
          offset: block.offset + count, address: block.address + count, byteCount: block.byteCount - count)
      }
    }
    return transfers
  }

  private var end: Int { offset + byteCount }
}
