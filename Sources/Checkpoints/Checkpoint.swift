import CFileSpace
import Failures
import Files
import Glibc
import HDF5
import MessagePassing

/// The metadata of a checkpoint: the root attributes of its file.
package struct CheckpointHeader: Sendable, Equatable {
  /// The layout of checkpoint files that this program writes and reads.
  package static let formatVersion: Int64 = 2

  /// The kind of network.
  package enum Kind: String, Sendable {
    /// It separates images from noise.
    case denoiser
    /// It classifies noisy images.
    case classifier
  }

  package var kind: Kind
  /// The number of classes, for a classifier.
  package var classCount: Int?
  /// Optimiser steps done.
  package var step: Int
  /// Images seen, repetitions included.
  package var images: Int
  /// The shape of what the network draws, [height, width, channels].
  package var imageShape: [Int]
  /// The run's configuration as YAML.
  package var configuration: String
  /// The fingerprint of the data set used for the last steps; nil in files of older programs.
  package var dataFingerprint: String?
  /// What the channels are, for fields, in JSON (`FieldDescription`); nil for images.
  package var fields: String?

  package init(
    kind: Kind = .denoiser, classCount: Int? = nil, step: Int, images: Int, imageShape: [Int], configuration: String,
    dataFingerprint: String? = nil, fields: String? = nil
  ) {
    self.kind = kind
    self.classCount = classCount
    self.step = step
    self.images = images
    self.imageShape = imageShape
    self.configuration = configuration
    self.dataFingerprint = dataFingerprint
    self.fields = fields
  }

  static let imageShapeAttributes = ["image_height", "image_width", "image_channels"]
}

/// Checkpoint files: one HDF5 file, written by all ranks together.
package enum Checkpoint {
  /// Writes a checkpoint that appears under its name completely or not at all. Collective.
  ///
  /// The file is written under a temporary name, marked complete, flushed to the disk by every rank, sealed, and only
  /// then renamed; a crash at any moment leaves the older checkpoints intact.
  ///
  /// - Parameters:
  ///   - path: the final name; a file of that name is replaced.
  ///   - groups: the groups to save, with this rank's part of each.
  ///   - progress: called whenever this rank starts another part, so that a watchdog can detect a rank that hangs.
  /// - Throws: `CheckpointError` on every rank if the file cannot be created or renamed. Any other error may occur on
  ///   this rank alone, in the middle of a collective call; the job must then be aborted.
  package static func save(
    to path: String, header: CheckpointHeader, groups: [TensorGroup], communicator: Communicator,
    progress: () -> Void = {}
  ) throws {
    let rank = communicator.rank
    let temporary = temporaryPath(for: path)
    let byteCount = expectedByteCount(groups)
    try onRankZero(communicator, path) {
      try FaultPoint.saveReserve.pass(rank: 0)
      try findRoom(temporary, byteCount: byteCount)
    }
    progress()
    let file: HDF5File
    do {
      file = try openTogether(communicator, path) {
        let file = try HDF5File.create(temporary, communicator: communicator)
        try FaultPoint.saveCreate.pass(rank: rank)
        return file
      }
    } catch {
      if rank == 0 { unlink(temporary) }
      throw error
    }
    do {
      try onRankZero(communicator, path) { try reserve(temporary, byteCount: byteCount) }
    } catch let error as CheckpointError {
      // Nothing has been written yet, so it can be closed cleanly.
      try file.close()
      if rank == 0 { unlink(temporary) }
      throw error
    }
    progress()
    try FaultPoint.saveHeader.pass(rank: rank)
    try write(header, to: file)
    var tensors: [Range<Int>] = []
    for group in groups { tensors += try group.write(to: file, communicator: communicator, progress: progress) }
    // Written last: a file without it is incomplete.
    try FaultPoint.saveMark.pass(rank: rank)
    progress()
    try file.writeAttribute("complete", Int64(1))
    try FaultPoint.saveFlush.pass(rank: rank)
    progress()
    try file.flush()
    try FaultPoint.saveClose.pass(rank: rank)
    progress()
    try file.close()
    try onRankZero(communicator, path) {
      do {
        try FileSeal.add(to: temporary, contents: tensors)
        try FaultPoint.saveRename.pass(rank: 0)
        try publish(temporary, as: path)
      } catch {
        unlink(temporary)
        throw error
      }
    }
  }

  /// Checks whether a checkpoint could be saved: creates its temporary file, reserves the space for all of it, and
  /// removes it. Collective.
  /// - Throws: `CheckpointError` on every rank if it could not be saved.
  package static func rehearse(path: String, groups: [TensorGroup], communicator: Communicator) throws {
    let temporary = temporaryPath(for: path)
    defer { if communicator.rank == 0 { unlink(temporary) } }
    try onRankZero(communicator, path) { try findRoom(temporary, byteCount: expectedByteCount(groups)) }
    let file = try openTogether(communicator, path) { try HDF5File.create(temporary, communicator: communicator) }
    try file.close()
  }

  private static func write(_ header: CheckpointHeader, to file: borrowing HDF5File) throws {
    try file.writeAttribute("format_version", CheckpointHeader.formatVersion)
    try file.writeAttribute("kind", header.kind.rawValue)
    if let classCount = header.classCount { try file.writeAttribute("classes", Int64(classCount)) }
    try file.writeAttribute("step", Int64(header.step))
    try file.writeAttribute("images", Int64(header.images))
    for (name, value) in zip(CheckpointHeader.imageShapeAttributes, header.imageShape) {
      try file.writeAttribute(name, Int64(value))
    }
    try file.writeAttribute("config", header.configuration)
    if let fingerprint = header.dataFingerprint { try file.writeAttribute("data_fingerprint", fingerprint) }
    // Of any length: the characters are stored outside of the attribute.
    if let fields = header.fields { try file.writeAttribute("fields", fields) }
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
    return try HDF5File.open(path)
  }

  /// Reads the header of a finished checkpoint.
  /// - Throws: `CheckpointError` if the file was never finished or is of another format.
  package static func readHeader(from file: borrowing HDF5File) throws -> CheckpointHeader {
    guard try file.attributeExists("format_version") else {
      throw CheckpointError(path: file.path, problem: "this is an HDF5 file, but not a checkpoint of ddpm-mpi")
    }
    let version = try file.readAttribute("format_version", as: Int64.self)
    guard version == CheckpointHeader.formatVersion else {
      throw CheckpointError(
        path: file.path,
        problem: "its format_version is \(version), but this program reads version \(CheckpointHeader.formatVersion)")
    }
    guard try file.attributeExists("complete"), try file.readAttribute("complete", as: Int64.self) == 1 else {
      throw CheckpointError(path: file.path, problem: "it is incomplete: writing it was interrupted")
    }
    let kind = try file.readAttribute("kind", as: String.self)
    guard let kind = CheckpointHeader.Kind(rawValue: kind) else {
      throw CheckpointError(path: file.path, problem: "it contains a \(kind), which this program does not support")
    }
    func number(_ name: String, _ range: ClosedRange<Int64>) throws -> Int {
      let value = try file.readAttribute(name, as: Int64.self)
      guard range.contains(value) else {
        throw CheckpointError(
          path: file.path,
          problem: "its \(name) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)")
      }
      return Int(value)
    }
    return CheckpointHeader(
      kind: kind,
      classCount: try file.attributeExists("classes") ? try number("classes", 1...1 << 24) : nil,
      step: try number("step", 0...1 << 53), images: try number("images", 0...1 << 53),
      imageShape: try CheckpointHeader.imageShapeAttributes.map { try number($0, 1...1 << 16) },
      configuration: try file.readAttribute("config", as: String.self),
      dataFingerprint: try file.attributeExists("data_fingerprint")
        ? try file.readAttribute("data_fingerprint", as: String.self) : nil,
      fields: try file.attributeExists("fields") ? try file.readAttribute("fields", as: String.self) : nil)
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
    try onRankZero(communicator, path) { try FileSeal.verify(path) }
    let file = try openTogether(communicator, path) {
      let file = try HDF5File.open(path, communicator: communicator)
      try FaultPoint.loadOpen.pass(rank: rank)
      return file
    }
    let outcome: Result<CheckpointHeader, CheckpointError>
    do {
      let header = try together(communicator, path) {
        try FaultPoint.loadHeader.pass(rank: rank)
        return try readHeader(from: file)
      }
      for group in try groups(header) { try group.read(from: file, communicator: communicator) }
      outcome = .success(header)
    } catch let error as CheckpointError {
      // Every rank got the same result, so the file can be closed cleanly and another one can be tried.
      outcome = .failure(error)
    }
    try together(communicator, path) { try FaultPoint.loadClose.pass(rank: rank) }
    try file.close()
    return try outcome.get()
  }

  // MARK: Agreement

  /// Opens a file on all ranks or on none.
  private static func openTogether(
    _ communicator: Communicator, _ path: String, _ body: () throws -> HDF5File
  ) throws -> HDF5File {
    var file: HDF5File?
    try together(communicator, path) { file = try body() }
    return file.take()!
  }

  private static func onRankZero(_ communicator: Communicator, _ path: String, _ body: () throws -> Void) throws {
    do {
      try communicator.onRankZero { try attempt(body).get() }
    } catch let failure as JobFailure {
      throw CheckpointError(path: path, problem: failure.message)
    }
  }

  /// Runs a step on every rank. If it fails anywhere, every rank throws the same `CheckpointError`, which names the
  /// rank unless all have failed.
  ///
  /// - Parameter communicator: nil for this process alone.
  @discardableResult
  static func together<Success>(
    _ communicator: Communicator?, _ path: String, _ body: () throws -> Success
  ) throws -> Success {
    let outcome = attempt(body)
    guard let communicator else {
      return try outcome.mapError { CheckpointError(path: path, problem: $0.description) }.get()
    }
    do {
      return try communicator.together { try outcome.get() }
    } catch let first as JobFailure {
      var hasFailed = 1
      if case .success = outcome { hasFailed = 0 }
      let isEverywhere = try communicator.allReduceMinimum(hasFailed) == 1
      throw CheckpointError(path: path, problem: isEverywhere ? first.message : "\(first)")
    }
  }

  /// The result of a step on this rank, or the problem without the file's name.
  private static func attempt<Success>(_ body: () throws -> Success) -> Result<Success, RunError> {
    Result(catching: body).mapError { error in
      RunError(.failure, (error as? CheckpointError)?.problem ?? (error as? HDF5Error)?.message ?? "\(error)")
    }
  }

  // MARK: Temporary files

  /// The bytes of all tensors, plus the file's own records.
  private static func expectedByteCount(_ groups: [TensorGroup]) -> Int {
    groups.reduce(1 << 20) { $0 + $1.layout.parameterCount * 4 + $1.layout.entries.count * 1024 }
  }

  /// Asks the file system whether there is enough space, before any rank opens the file.
  private static func findRoom(_ path: String, byteCount: Int) throws {
    // Left behind by an interrupted save, or a link that leads elsewhere.
    unlink(path)
    try allocate(path, byteCount: byteCount, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, keepsSize: false)
  }

  /// Reserves the space for a file that has just been created: if the disk filled up in the middle of a collective
  /// write, some ranks would wait for the others forever. The file's size does not change; closing the file releases
  /// unused space.
  private static func reserve(_ path: String, byteCount: Int) throws {
    try allocate(path, byteCount: byteCount, flags: O_WRONLY, keepsSize: true)
  }

  private static func allocate(_ path: String, byteCount: Int, flags: Int32, keepsSize: Bool) throws {
    let descriptor = open(path, flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw CheckpointError(path: path, failure: "cannot be created") }
    defer { close(descriptor) }
    let status = ddpm_reserve_file_space(descriptor, Int64(byteCount), keepsSize ? 1 : 0)
    // Some file systems cannot tell; then the write fails if there is no space.
    if [0, EOPNOTSUPP, EINVAL, ENOSYS].contains(status) { return }
    unlink(path)
    throw CheckpointError(
      path: path, failure: "there is no space for a checkpoint of \(byteCount >> 20) MiB", code: status)
  }

  private static func publish(_ temporary: String, as path: String) throws {
    try synchronise(temporary)
    guard rename(temporary, path) == 0 else {
      throw CheckpointError(path: path, failure: "cannot be renamed into place")
    }
    try synchronise(parentFolder(of: path))
  }

  /// Waits until a file's contents or a folder's entries are on the disk.
  private static func synchronise(_ path: String) throws {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw CheckpointError(path: path, failure: "cannot be opened") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw CheckpointError(path: path, failure: "cannot be flushed to disk") }
  }
}
