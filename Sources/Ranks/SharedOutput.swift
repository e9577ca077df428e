import Failures
import Files
import Glibc
import HDF5
import MessagePassing
import Tensors

extension Communicator {
  /// Checks the files that a command reads and writes before its work starts, and that all hosts see the outputs'
  /// folders. Collective; rank 0's view of the files decides.
  /// - Throws: `JobFailure` on all ranks.
  package func check(_ files: CommandFiles) throws {
    try onRankZero { try files.check() }
    for output in files.outputs { try requireShared(folder: folderPath(of: output.path)) }
  }
}

/// An HDF5 file that all ranks write together: it appears completely or not at all. If it is released before `publish`,
/// for instance after an error, nothing of it remains.
///
/// Rank 0 writes the structure with libhdf5, and all ranks write elements at the positions that it tells them. No rank
/// has the file open in both ways at once, which network file systems do not support.
package final class SharedOutput {
  /// The structure of a new file, on rank 0 until elements are written.
  private var structure: HDF5File?
  /// The elements, on all ranks; nil before the first `define` and after `publish`.
  private var elements: SharedFile?
  /// On rank 0.
  private let output: OutputFile?
  private let communicator: Communicator
  private let temporaryPath: String
  package private(set) var isPublished = false

  /// Collective.
  /// - Parameters:
  ///   - path: the file; rank 0's value is used.
  ///   - byteCount: the approximate size, for which space is reserved.
  /// - Throws: `JobFailure` on all ranks.
  package init(_ path: String, byteCount: Int, communicator: Communicator) throws {
    self.communicator = communicator
    output = try communicator.onRankZero {
      let output = try OutputFile(path)
      do throws(SharedFileError) { try SharedFile.checkShareable(output.temporaryPath) } catch {
        throw InputError("\(path): \(error.message)")
      }
      try output.prepare()
      // Before libhdf5 opens it, since libhdf5 crashes if there is no space for a file's first bytes.
      do { try output.reserve(byteCount: byteCount) } catch {
        output.discard()
        throw error
      }
      return output
    }
    temporaryPath = try communicator.broadcast(encoding: output?.temporaryPath, from: 0)
    structure = nil
    elements = nil
    do {
      try communicator.onRankZero {
        structure = try HDF5File.create(temporaryPath)
        // Again, since creating the file has released the reserved space.
        try output?.reserve(byteCount: byteCount)
      }
    } catch {
      discard()
      throw error
    }
  }

  deinit { discard() }

  /// Lets rank 0 add groups, datasets and attributes. Afterwards all ranks can write elements. Collective.
  /// - Parameter body: returns what all ranks must know, such as the datasets' locations.
  /// - Throws: `JobFailure` on all ranks, or an error on this rank alone.
  package func define<Result: Codable>(_ body: (borrowing HDF5File) throws -> Result) throws -> Result {
    try elements.take()?.close()
    let result = try communicator.onRankZero { try changeStructure(body) }
    try communicator.together { try SharedFile.checkAccess(temporaryPath, writable: true) }
    try communicator.together {
      elements = try SharedFile(temporaryPath, writable: true, communicator: communicator)
    }
    return try communicator.broadcast(encoding: result, from: 0)
  }

  /// Writes elements of a dataset, independently of other ranks.
  /// - Parameter range: the elements, counted in row-major order.
  package func write<Element: HDF5Element>(
    _ range: Range<Int>, of location: DatasetLocation, from values: TypedTensor<Element>
  ) throws(SharedFileError) {
    try elements!.writeAlone(location.segment(range, values))
  }

  /// Writes this rank's part of one or more datasets. Collective; a rank may have none.
  /// - Throws: `JobFailure` on all ranks.
  package func write(_ segments: [FileSegment]) throws {
    try communicator.together { try elements!.write(segments) }
  }

  /// Flushes the file to the disk and moves it to its final name. Collective.
  /// - Parameter describe: writes further attributes; called on rank 0.
  /// - Throws: `JobFailure` on all ranks, or an error on this rank alone.
  package func publish(describe: (borrowing HDF5File) throws -> Void = { _ in }) throws {
    if try elements.take()?.close() != nil {
      try communicator.together { try SharedFile.flush(temporaryPath, communicator: communicator) }
    }
    try communicator.onRankZero {
      try changeStructure(describe)
      releaseReservedSpace(ofFile: temporaryPath)
      try output?.publish()
    }
    isPublished = true
  }

  /// Closes and removes the file, after an error that all ranks know of. Collective.
  package func abandon() {
    try? elements.take()?.close()
    discard()
  }

  private func changeStructure<Result>(_ body: (borrowing HDF5File) throws -> Result) throws -> Result {
    let file: HDF5File
    if let created = structure.take() {
      file = created
    } else {
      file = try HDF5File.open(temporaryPath, writable: true, isLocked: false)
    }
    let result = try body(file)
    try file.close()
    return result
  }

  /// By any rank: the others may have no chance to.
  private func discard() {
    if !isPublished { unlink(temporaryPath) }
  }
}

extension DatasetLocation {
  /// The location of some elements in the file, and their values in memory.
  /// - Parameter range: the elements, counted in row-major order.
  package func segment<Element: HDF5Element>(_ range: Range<Int>, _ values: TypedTensor<Element>) -> FileSegment {
    precondition(type == Element.elementType, "the dataset holds \(type), not \(Element.elementType)")
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "the dataset has no such elements")
    precondition(range.count == values.count, "\(values.count) values for \(range.count) elements")
    return FileSegment(offset: offset(of: range.lowerBound), values)
  }
}

/// A folder that all ranks write files into: it appears completely or not at all. If it is released before `publish`,
/// for instance after an error, nothing of it remains.
package final class SharedOutputFolder {
  /// The folder in which the ranks write.
  package let temporaryPath: String
  /// On rank 0.
  private let output: OutputFolder?
  private let communicator: Communicator
  private var isPublished = false

  /// Collective.
  /// - Parameter path: a folder that does not exist or is empty; rank 0's value is used.
  /// - Throws: `JobFailure` on all ranks.
  package init(_ path: String, communicator: Communicator) throws {
    self.communicator = communicator
    output = try communicator.onRankZero {
      let output = try OutputFolder(path)
      try output.prepare()
      return output
    }
    temporaryPath = try communicator.broadcast(encoding: output?.temporaryPath, from: 0)
    try communicator.requireShared(folder: temporaryPath)
  }

  deinit { if !isPublished { output?.discard() } }

  /// Flushes the folder to the disk and moves it to its final name. Collective.
  /// - Throws: `JobFailure` on all ranks.
  package func publish() throws {
    let flushes = try SharedFile.flushesForHost(temporaryPath, communicator: communicator)
    try communicator.together { if flushes { try OutputFolder.synchronise(temporaryPath) } }
    try communicator.together { try output?.publish() }
    isPublished = true
  }
}
