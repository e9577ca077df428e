import Failures
import Files
import Glibc
import HDF5
import MessagePassing
import Tensors

/// Checkpoint files: one HDF5 file for the state of all ranks.
///
/// Rank 0 writes and reads the structure with libhdf5: attributes, and datasets whose elements are contiguous. All ranks
/// then write or read elements at the positions that it tells them, in one go through MPI-IO. The number of collective
/// calls does not depend on the number of tensors.
package enum Checkpoint {
  /// Writes a checkpoint that appears under its name completely or not at all. Collective.
  ///
  /// The file is written under a temporary name, flushed to the disk on every host, sealed, and only then renamed; a
  /// crash at any moment leaves the older checkpoints intact.
  ///
  /// - Parameters:
  ///   - path: the final name; a file of that name is replaced.
  ///   - groups: the groups to save, with this rank's part of each.
  ///   - progress: called whenever this rank starts another part, so that a watchdog can detect a rank that hangs.
  /// - Throws: `CheckpointError` on every rank if the file cannot be created, written or renamed. Any other error may
  ///   occur on this rank alone, in the middle of a collective call; the job must then be aborted.
  package static func save(
    to path: String, header: CheckpointHeader, groups: [TensorGroup], communicator: Communicator,
    progress: () -> Void = {}
  ) throws {
    do {
      try write(header, groups, as: path, communicator, progress: progress)
    } catch let error as CheckpointError {
      if communicator.rank == 0 { unlink(temporaryPath(for: path)) }
      throw error
    }
  }

  private static func write(
    _ header: CheckpointHeader, _ groups: [TensorGroup], as path: String, _ communicator: Communicator,
    progress: () -> Void
  ) throws {
    let rank = communicator.rank
    let temporary = temporaryPath(for: path)
    let byteCount = expectedByteCount(groups)
    try onRankZero(communicator, path) {
      try FaultPoint.saveReserve.pass(rank: 0)
      try findRoom(temporary, byteCount: byteCount)
    }
    progress()
    var structure: HDF5File?
    try onRankZero(communicator, path) {
      structure = try HDF5File.create(temporary)
      // Again, since creating the file has released the space.
      try reserve(temporary, byteCount: byteCount)
    }
    try together(communicator, path) { try FaultPoint.saveCreate.pass(rank: rank) }
    progress()
    try FaultPoint.saveHeader.pass(rank: rank)
    let checksums = try TensorGroup.checksums(of: groups, communicator, progress: progress)
    progress()
    let created = try onRankZero(communicator, path) {
      try writeStructure(of: structure.take()!, header, groups, checksums ?? [])
    }
    let offsets = try share(created, of: groups, communicator)
    progress()
    let file = try openTogether(temporary, writable: true, communicator, path)
    var segments: [FileSegment] = []
    for (group, offsets) in zip(groups, offsets) {
      for _ in offsets {
        try FaultPoint.saveWrite.pass(rank: rank)
        progress()
      }
      segments += group.segments(at: offsets)
    }
    do {
      try together(communicator, path) { try file.write(segments) }
    } catch let error as CheckpointError {
      // All ranks know of it, so the file can be closed.
      try file.close()
      throw error
    }
    try FaultPoint.saveMark.pass(rank: rank)
    progress()
    try FaultPoint.saveClose.pass(rank: rank)
    progress()
    try file.close()
    try FaultPoint.saveFlush.pass(rank: rank)
    progress()
    try together(communicator, path) { try SharedFile.flush(temporary, communicator: communicator) }
    try onRankZero(communicator, path) {
      let tensors = zip(groups, offsets).flatMap { $0.contents(at: $1) }
      try FileSeal.add(to: temporary, contents: tensors)
      try FaultPoint.saveRename.pass(rank: 0)
      try publish(temporary, as: path)
    }
  }

  /// Writes everything but the elements of tensors, and closes the file.
  /// - Parameter checksums: those of all tensors, one list for each group.
  /// - Returns: the positions in the file where the tensors begin.
  private static func writeStructure(
    of file: consuming HDF5File, _ header: CheckpointHeader, _ groups: [TensorGroup], _ checksums: [[UInt32]]
  ) throws(HDF5Error) -> [[Int]] {
    try header.write(to: file)
    var offsets: [[Int]] = []
    for (group, checksums) in zip(groups, checksums) {
      offsets.append(try group.createDatasets(in: file, checksums: checksums))
    }
    // Programs of earlier versions wrote it last; now the seal shows that nothing is missing.
    try file.writeAttribute("complete", Int64(1))
    try file.close()
    return offsets
  }

  /// Checks whether a checkpoint could be saved: creates its temporary file, reserves the space for all of it, opens it
  /// on all ranks, and removes it. Collective.
  /// - Throws: `CheckpointError` on every rank if it could not be saved.
  package static func rehearse(path: String, groups: [TensorGroup], communicator: Communicator) throws {
    let temporary = temporaryPath(for: path)
    defer { if communicator.rank == 0 { unlink(temporary) } }
    try onRankZero(communicator, path) {
      try findRoom(temporary, byteCount: expectedByteCount(groups))
      try HDF5File.create(temporary).close()
    }
    try openTogether(temporary, writable: true, communicator, path).close()
  }

  /// The temporary name a file is written under.
  package static func temporaryPath(for path: String) -> String {
    Files.path(of: ".\(lastPart(ofPath: path)).partial", in: parentFolder(of: path))
  }

  /// Opens a checkpoint for this process alone.
  /// - Throws: `CheckpointError` if it is missing, unfinished or damaged outside of its tensors; `HDF5Error`.
  package static func openAlone(_ path: String) throws -> HDF5File {
    do { try FileSeal.verify(path) } catch {
      throw CheckpointError(path: path, problem: error.message)
    }
    return try HDF5File.open(path, isLocked: false)
  }

  /// Reads a checkpoint's header and fills the groups, where each rank reads its parts. Collective.
  ///
  /// - Parameter groups: returns the groups to fill for a header; it must decide the same on all ranks.
  /// - Throws: `CheckpointError` the same on every rank if the file is missing, unfinished, damaged, of another shape
  ///   or cannot be read on some rank; another file can then be tried. Also the errors of `groups`, and `MPIError`.
  package static func load(
    from path: String, communicator: Communicator, into groups: (CheckpointHeader) throws -> [TensorGroup]
  ) throws -> CheckpointHeader {
    let rank = communicator.rank
    let read = try onRankZero(communicator, path) { try readHeader(from: openAlone(path)) }
    try together(communicator, path) {
      try FaultPoint.loadOpen.pass(rank: rank)
      try FaultPoint.loadHeader.pass(rank: rank)
    }
    let header = try communicator.broadcast(encoding: read, from: 0)
    let groups = try groups(header)
    try together(communicator, path) {
      for _ in groups.flatMap(\.layout.entries) { try FaultPoint.loadRead.pass(rank: rank) }
    }
    let found = try onRankZero(communicator, path) { try find(groups, in: HDF5File.open(path, isLocked: false)) }
    let offsets = try share(found?.map { $0.offsets }, of: groups, communicator)
    let file = try openTogether(path, communicator, path)
    let segments = zip(groups, offsets).flatMap { $0.segments(at: $1) }
    do {
      try together(communicator, path) { try file.read(into: segments) }
    } catch let error as CheckpointError {
      try file.close()
      throw error
    }
    try file.close()
    try together(communicator, path) { try FaultPoint.loadClose.pass(rank: rank) }
    let checksums = try TensorGroup.checksums(of: groups, communicator)
    try onRankZero(communicator, path) {
      for (group, (computed, found)) in zip(groups, zip(checksums ?? [], found ?? [])) {
        try group.verify(computed, against: found.checksums, path: path)
      }
    }
    return header
  }

  private static func find(
    _ groups: [TensorGroup], in file: consuming HDF5File
  ) throws -> [(offsets: [Int], checksums: [UInt32])] {
    var found: [(offsets: [Int], checksums: [UInt32])] = []
    for group in groups { found.append(try group.find(in: file)) }
    try file.close()
    return found
  }

  // MARK: Agreement

  /// Opens a file on all ranks or on none.
  /// - Parameter path: what messages call the file.
  private static func openTogether(
    _ file: String, writable: Bool = false, _ communicator: Communicator, _ path: String
  ) throws -> SharedFile {
    // No rank may enter the collective call alone.
    try together(communicator, path) { try SharedFile.checkAccess(file, writable: writable) }
    var opened: SharedFile?
    try together(communicator, path) {
      opened = try SharedFile(file, writable: writable, communicator: communicator)
    }
    return opened.take()!
  }

  /// Sends rank 0's positions of all tensors to all ranks.
  private static func share(
    _ offsets: [[Int]]?, of groups: [TensorGroup], _ communicator: Communicator
  ) throws(MPIError) -> [[Int]] {
    let all = Buffer<Int>(count: groups.reduce(0) { $0 + $1.layout.entries.count })
    if let offsets { all.store(offsets.flatMap(\.self)) }
    try communicator.broadcast(all, from: 0)
    return TensorGroup.divided(all.elements, among: groups)
  }

  /// Runs a step on rank 0, while the other ranks leave their cores to other threads. If it fails, every rank throws the
  /// same `CheckpointError`.
  /// - Returns: its result on rank 0, nil elsewhere.
  @discardableResult
  private static func onRankZero<Success>(
    _ communicator: Communicator, _ path: String, _ body: () throws -> Success
  ) throws -> Success? {
    let outcome: Result<Success, RunError>? = communicator.rank == 0 ? attempt(body) : nil
    try communicator.sleepingBarrier()
    do {
      return try communicator.together { try outcome?.get() }
    } catch let failure as JobFailure {
      throw CheckpointError(path: path, problem: failure.message)
    }
  }

  /// Runs a step on every rank. If it fails anywhere, every rank throws the same `CheckpointError`, which names the
  /// rank unless all have failed.
  private static func together(_ communicator: Communicator, _ path: String, _ body: () throws -> Void) throws {
    let outcome = attempt(body)
    do {
      try communicator.together { try outcome.get() }
    } catch let first as JobFailure {
      var hasFailed = 1
      if case .success = outcome { hasFailed = 0 }
      let isEverywhere = try communicator.allReduceMinimum(hasFailed) == 1
      throw CheckpointError(path: path, problem: isEverywhere ? first.message : "\(first)")
    }
  }

  /// Runs a step of this process alone.
  /// - Throws: `CheckpointError`.
  static func alone(_ path: String, _ body: () throws -> Void) throws {
    try attempt(body).mapError { CheckpointError(path: path, problem: $0.description) }.get()
  }

  /// The result of a step on this rank, or the problem without the file's name.
  private static func attempt<Success>(_ body: () throws -> Success) -> Result<Success, RunError> {
    Result(catching: body).mapError { error in
      let problem =
        (error as? CheckpointError)?.problem ?? (error as? HDF5Error)?.message ?? (error as? SharedFileError)?.message
      return RunError(.failure, problem ?? "\(error)")
    }
  }
}
