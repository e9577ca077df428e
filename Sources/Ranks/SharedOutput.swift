import Failures
import Files
import Glibc
import HDF5
import MessagePassing

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
package final class SharedOutput {
  /// The file, open on all ranks; nil after `publish`.
  package private(set) var file: HDF5File?
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
      do throws(HDF5Error) { try HDF5File.checkShareable(output.temporaryPath) } catch {
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
    file = nil
    try communicator.together { file = try HDF5File.create(temporaryPath, communicator: communicator) }
    do {
      // Again, since creating the file has released the reserved space.
      try communicator.together { try output?.reserve(byteCount: byteCount) }
    } catch {
      abandon()
      throw error
    }
  }

  deinit { discard() }

  /// Flushes the file to the disk and moves it to its final name. Collective.
  /// - Throws: `JobFailure` on all ranks, or an error on this rank alone.
  package func publish() throws {
    try file!.flush()
    try file.take()!.close()
    try communicator.together { try output?.publish() }
    isPublished = true
  }

  /// Closes and removes the file, after an error that all ranks know of. Collective.
  package func abandon() {
    try? file.take()?.close()
    discard()
  }

  /// By any rank: the others may have no chance to.
  private func discard() {
    if !isPublished { unlink(temporaryPath) }
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
    try communicator.together { try OutputFolder.synchronise(temporaryPath) }
    try communicator.together { try output?.publish() }
    isPublished = true
  }
}
