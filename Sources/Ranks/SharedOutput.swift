import Failures
import Files
import Foundation
import HDF5
import MessagePassing

extension Communicator {
  /// Checks what a command reads and writes before its work begins, and that all hosts find the outputs' folders.
  /// Collective; rank 0's view of the files counts.
  /// - Throws: `JobFailure` on all ranks.
  public func check(_ files: CommandFiles) throws {
    try together { if rank == 0 { try files.check() } }
    for output in files.outputs { try requireShared(folder: folderPath(of: output.path)) }
  }
}

/// An HDF5 file that all ranks write together: it appears whole or not at all. If it is let go of before `publish`, as
/// after an error, nothing of it remains.
public final class SharedOutput {
  /// The file, open on all ranks; nil once it is published.
  public private(set) var file: HDF5File?
  /// On rank 0.
  private let output: OutputFile?
  private let communicator: Communicator
  private let temporaryPath: String
  public private(set) var isPublished = false

  /// Collective.
  /// - Parameters:
  ///   - path: on rank 0, what counts.
  ///   - byteCount: how much will be written, about; space for it is set aside.
  /// - Throws: `JobFailure` on all ranks.
  public init(_ path: String, byteCount: Int, communicator: Communicator) throws {
    self.communicator = communicator
    output = try communicator.together { () throws -> OutputFile? in
      guard communicator.rank == 0 else { return nil }
      let output = try OutputFile(path)
      do throws(HDF5Error) { try HDF5File.checkShareable(output.temporaryPath) } catch {
        throw InputError("\(path): \(error.message)")
      }
      try output.prepare()
      // Before libhdf5 opens it: of a file whose first bytes find no room it crashes.
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
      // Again: making the file has given back what it had.
      try communicator.together { try output?.reserve(byteCount: byteCount) }
    } catch {
      abandon()
      throw error
    }
  }

  deinit { discard() }

  /// Lets `body` work on the open file.
  public func with<Result>(_ body: (borrowing HDF5File) throws -> Result) rethrows -> Result { try body(file!) }

  /// Brings the file to the disk and gives it its name. Collective.
  /// - Throws: `JobFailure` on all ranks, or an error of this rank alone.
  public func publish() throws {
    try file!.flush()
    try file.take()!.close()
    try communicator.together { try output?.publish() }
    isPublished = true
  }

  /// Closes and removes the file, after an error that all ranks know of. Collective.
  public func abandon() {
    try? file.take()?.close()
    discard()
  }

  /// By any rank: the others may have no chance to.
  private func discard() {
    if !isPublished { unlink(temporaryPath) }
  }
}

/// A folder that all ranks write files into: it appears whole or not at all. If it is let go of before `publish`, as
/// after an error, nothing of it remains.
public final class SharedOutputFolder {
  /// Where the ranks write.
  public let temporaryPath: String
  /// On rank 0.
  private let output: OutputFolder?
  private let communicator: Communicator
  private var isPublished = false

  /// Collective.
  /// - Parameter path: on rank 0, what counts: a folder that is not there, or empty.
  /// - Throws: `JobFailure` on all ranks.
  public init(_ path: String, communicator: Communicator) throws {
    self.communicator = communicator
    output = try communicator.together { () throws -> OutputFolder? in
      guard communicator.rank == 0 else { return nil }
      let output = try OutputFolder(path)
      try output.prepare()
      return output
    }
    temporaryPath = try communicator.broadcast(encoding: output?.temporaryPath, from: 0)
    try communicator.requireShared(folder: temporaryPath)
  }

  deinit { if !isPublished { output?.discard() } }

  /// Brings the folder to the disk and gives it its name. Collective.
  /// - Throws: `JobFailure` on all ranks.
  public func publish() throws {
    try communicator.together { try OutputFolder.synchronise(temporaryPath) }
    try communicator.together { try output?.publish() }
    isPublished = true
  }
}
