import Checkpoints
import Foundation
import HDF5
import MessagePassing
import Tensors
import Testing

extension StorageTests {
  @Suite(.serialized) struct CheckpointTests {
    let folder: TemporaryFolder
    let world: Communicator

    init() throws {
      folder = try TemporaryFolder()
      world = try MPISession.initialise()
    }

    @Test func whatIsSavedIsLoadedToTheBit() throws {
      let path = folder.path("step.h5")
      let saved = TestArenas(seed: 1)
      // Numbers that arithmetic would change or confuse.
      let special: [Float] = [-0.0, .leastNonzeroMagnitude, .infinity, Float(bitPattern: 0x7FC1_2345)]
      for (index, value) in special.enumerated() { saved.arenas[0].pointer[index] = value }
      try Checkpoint.save(to: path, header: testHeader, groups: saved.groups, communicator: world)

      let loaded = TestArenas(seed: 2)
      var announced: CheckpointHeader?
      let header = try Checkpoint.load(from: path, communicator: world) { header in
        announced = header
        return loaded.groups
      }
      #expect(header == testHeader)
      #expect(announced == testHeader)
      #expect(loaded.bits == saved.bits)
    }

    @Test func aSavedCheckpointLeavesNoTemporaryFileAndReplacesTheOldOne() throws {
      let path = folder.path("step.h5")
      try Checkpoint.save(to: path, header: testHeader, groups: TestArenas(seed: 1).groups, communicator: world)
      #expect(try folder.names() == ["step.h5"])
      let newer = TestArenas(seed: 2)
      var header = testHeader
      header.step += 1
      try Checkpoint.save(to: path, header: header, groups: newer.groups, communicator: world)
      #expect(try folder.names() == ["step.h5"])
      let loaded = TestArenas(seed: 3)
      #expect(try Checkpoint.load(from: path, communicator: world) { _ in loaded.groups } == header)
      #expect(loaded.bits == newer.bits)
    }

    @Test func aRehearsalLeavesNothingBehindAndFindsOutWhatASaveWould() throws {
      let groups = TestArenas(seed: 1).groups
      try Checkpoint.rehearse(path: folder.path("step.h5"), groups: groups, communicator: world)
      #expect(try folder.names() == [])
      let missing = #expect(throws: CheckpointError.self) {
        try Checkpoint.rehearse(path: folder.path("missing/step.h5"), groups: groups, communicator: world)
      }
      #expect(missing?.problem.contains("No such file") == true)
    }

    /// Open MPI writes past a buffer's end for longer ones.
    @Test func aPathThatMPICannotHoldIsAnError() throws {
      let groups = TestArenas(seed: 1).groups
      var parent = folder.path("x")
      while parent.utf8.count < 120 { parent += "x" }
      try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
      let room = 244 - "\(parent)/..partial".utf8.count
      for (length, fits) in [(room, true), (room + 1, false)] {
        let path = parent + "/" + String(repeating: "y", count: length)
        #expect(Checkpoint.temporaryPath(for: path).utf8.count == (fits ? 244 : 245))
        func rehearse() throws { try Checkpoint.rehearse(path: path, groups: groups, communicator: world) }
        if fits {
          try rehearse()
        } else {
          let error = #expect(throws: CheckpointError.self) { try rehearse() }
          #expect(error?.problem.contains("has 245 bytes, but MPI libraries hold 244; take a shorter path") == true)
        }
      }
    }

    @Test func leftoversOfAnInterruptedSaveDoNotDisturbTheNext() throws {
      let path = folder.path("step.h5")
      #expect(URL(fileURLWithPath: Checkpoint.temporaryPath(for: path)).lastPathComponent == ".step.h5.partial")
      try Data(repeating: 7, count: 3_000_000).write(to: URL(fileURLWithPath: Checkpoint.temporaryPath(for: path)))
      let saved = TestArenas(seed: 1)
      try Checkpoint.save(to: path, header: testHeader, groups: saved.groups, communicator: world)
      #expect(try folder.names() == ["step.h5"])
      #expect(try CheckpointInspection(path: path).isWhole)
    }

    @Test func aCheckpointThatCannotBeWrittenIsAnErrorThatNamesIt() throws {
      let path = folder.path("missing/step.h5")
      let error = #expect(throws: CheckpointError.self) {
        try Checkpoint.save(to: path, header: testHeader, groups: TestArenas(seed: 1).groups, communicator: world)
      }
      #expect(error?.path == path)
      #expect(try folder.names() == [])
    }

    @Test(arguments: testGroupPaths, testTensorNames)
    func aDamagedByteIsFoundAndItsTensorNamed(group: String, tensor: String) throws {
      let path = folder.path("step.h5")
      let saved = TestArenas(seed: 1)
      try Checkpoint.save(to: path, header: testHeader, groups: saved.groups, communicator: world)
      try flipLastBit(of: saved.bytes(of: tensor, in: group), inFile: path)

      let loaded = TestArenas(seed: 2)
      let error = #expect(throws: CheckpointError.self) {
        try Checkpoint.load(from: path, communicator: world) { _ in loaded.groups }
      }
      #expect(error?.problem.contains("\(group)/\(tensor) is damaged") == true)
      let inspection = try CheckpointInspection(path: path)
      #expect(!inspection.isWhole)
      #expect(inspection.groups.flatMap(\.damaged) == ["\(group)/\(tensor)"])
      // The file was closed in good order: another one can take its place.
      try Checkpoint.save(to: path, header: testHeader, groups: saved.groups, communicator: world)
      #expect(try CheckpointInspection(path: path).isWhole)
    }

    @Test func inspectionOfAWholeCheckpointCountsItsTensors() throws {
      let path = folder.path("step.h5")
      let saved = TestArenas(seed: 1)
      try Checkpoint.save(to: path, header: testHeader, groups: saved.groups, communicator: world)
      let inspection = try CheckpointInspection(path: path)
      #expect(inspection.isWhole)
      #expect(inspection.header == testHeader)
      #expect(inspection.groups.map(\.path).sorted() == testGroupPaths.sorted())
      #expect(inspection.groups.allSatisfy { $0.tensorCount == testTensorNames.count })
      #expect(inspection.groups.allSatisfy { $0.elementCount == saved.layout.parameterCount })
    }

    @Test func inspectionFindsTensorsWhateverTheirGroupsAreCalled() throws {
      let path = folder.path("step.h5")
      var layout = ParameterLayout()
      let entry = layout.add("counts", shape: [300_001], order: .c)
      let arenas = [0, 0.5].map { (first: Float) in
        let arena = Arena(layout)
        for index in 0..<entry.count { arena.tensor(entry).pointer[index] = first + Float(index) }
        return arena
      }
      let others = zip(["loss_aware_steps", "of/later/programs"], arenas).map { path, arena in
        TensorGroup(path: path, layout: layout, ranges: [0..<arena.count], values: arena.buffer)
      }
      try Checkpoint.save(
        to: path, header: testHeader, groups: TestArenas(seed: 1).groups + others, communicator: world)
      let whole = try CheckpointInspection(path: path)
      #expect(whole.isWhole)
      #expect(whole.groups.map(\.path).sorted() == (testGroupPaths + others.map(\.path)).sorted())
      try flipLastBit(of: arenas[0].tensor(entry).elements.withUnsafeBytes { Array($0) }, inFile: path)
      #expect(try CheckpointInspection(path: path).groups.flatMap(\.damaged) == ["loss_aware_steps/counts"])
    }

    @Test func anUnfinishedFileIsRefused() throws {
      for complete in [nil, 0] as [Int64?] {
        let path = folder.path("unfinished.h5")
        try write(path, complete: complete)
        try expectRefusal(of: path, because: "not written to its end")
      }
    }

    @Test(arguments: [0, 3] as [Int64])
    func anotherFormatVersionIsRefused(version: Int64) throws {
      let path = folder.path("version.h5")
      try write(path, version: version)
      try expectRefusal(of: path, because: "format_version is \(version)")
    }

    @Test func anotherHDF5FileIsRefused() throws {
      let path = folder.path("other.h5")
      try write(path, version: nil)
      try expectRefusal(of: path, because: "not a checkpoint of ddpm-mpi")
    }

    /// As a copy that another program has made of one.
    @Test func aFileWithoutItsSealIsRefused() throws {
      let path = folder.path("step.h5")
      try Checkpoint.save(to: path, header: testHeader, groups: TestArenas(seed: 1).groups, communicator: world)
      let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
      let tensorCount = testGroupPaths.count * testTensorNames.count
      try expectRefusal(
        of: try folder.file("unsealed.h5", Array(whole.dropLast(28 + 16 * tensorCount))), because: "no seal")
    }

    @Test func whatIsNotThereOrNotHDF5IsRefused() throws {
      try expectRefusal(of: folder.path("nothing.h5"), because: "no such file")
      try expectRefusal(of: try folder.file("text.h5", Array("text".utf8)), because: "not an HDF5 file")
      try expectRefusal(of: try folder.file("empty.h5", []), because: "not an HDF5 file")
      try expectRefusal(of: folder.path("."), because: "it is a folder, not a file")
      let sealed = try folder.file("sealed.h5", Array("text".utf8))
      try FileSeal.add(to: sealed, contents: [])
      try expectRefusal(of: sealed, because: "not an HDF5 file")
    }

    @Test func aTensorOfAnotherShapeIsRefusedByName() throws {
      let path = folder.path("step.h5")
      try write(path)
      var layout = ParameterLayout()
      _ = layout.add("conv_in.weight", shape: [3, 3, 3, 20], order: .hwio)
      // As many elements in another arrangement.
      _ = layout.add("time.linear.weight", shape: [7, 20], order: .io)
      let arena = Arena(layout)
      let group = TensorGroup(path: "model", layout: layout, ranges: [0..<arena.count], values: arena.buffer)
      let error = #expect(throws: CheckpointError.self) {
        try Checkpoint.load(from: path, communicator: world) { _ in [group] }
      }
      #expect(error?.problem.contains("tensor model/time.linear.weight is float32 [20, 7]") == true)
      #expect(error?.problem.contains("[7, 20]") == true)
    }

    @Test func aMissingTensorIsNamed() throws {
      let path = folder.path("step.h5")
      try write(path)
      var layout = TestArenas(seed: 1).layout
      _ = layout.add("conv_out.bias", shape: [3], order: .c)
      let arena = Arena(layout)
      for groupPath in ["model", "ema/0.5"] {
        let group = TensorGroup(path: groupPath, layout: layout, ranges: [0..<arena.count], values: arena.buffer)
        let error = #expect(throws: CheckpointError.self) {
          try Checkpoint.load(from: path, communicator: world) { _ in [group] }
        }
        let first = groupPath == "model" ? "conv_out.bias" : "conv_in.weight"
        #expect(error?.problem.contains("no tensor \(groupPath)/\(first)") == true)
      }
    }

    @Test func aTruncatedFileIsAnErrorWhereverItEnds() throws {
      let path = folder.path("step.h5")
      try Checkpoint.save(to: path, header: testHeader, groups: TestArenas(seed: 1).groups, communicator: world)
      let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
      let lengths = [1, 7, 8, 50, 96, 100, 511, 512, 2048] + (1..<16).map { whole.count * $0 / 16 } + [whole.count - 1]
      for length in lengths {
        let short = try folder.file("short.h5", Array(whole[..<length]))
        #expect(throws: CheckpointError.self, "\(length) bytes") {
          try Checkpoint.load(from: short, communicator: world) { _ in TestArenas(seed: 2).groups }
        }
        #expect(throws: (any Error).self, "\(length) bytes") { try CheckpointInspection(path: short) }
      }
    }

    /// Each byte of the header's attributes, and one in eleven elsewhere.
    @Test func aDamagedByteAnywhereIsFound() throws {
      let path = folder.path("step.h5")
      let saved = TestArenas(seed: 1)
      try Checkpoint.save(to: path, header: testHeader, groups: saved.groups, communicator: world)
      let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
      let configuration = try #require(Data(whole).range(of: Data(testHeader.configuration.utf8)))
      let places = Set(stride(from: 0, to: whole.count, by: 11)).union(0..<96).union(configuration).union(
        whole.count - 300..<whole.count)
      var refused = 0
      for place in places.sorted() {
        var bytes = whole
        bytes[place] ^= 1 << UInt8(place % 8)
        let damaged = try folder.file("damaged.h5", bytes)
        let loaded = TestArenas(seed: 2)
        do {
          let header = try Checkpoint.load(from: damaged, communicator: world) { _ in loaded.groups }
          #expect(header == testHeader && loaded.bits == saved.bits, "byte \(place)")
        } catch let error as CheckpointError {
          refused += 1
          #expect(error.path == damaged)
        }
      }
      #expect(refused == places.count, "a seal leaves no gap")
    }

    @Test func otherProgramsSeeShapesAndLayouts() throws {
      let path = folder.path("step.h5")
      try Checkpoint.save(to: path, header: testHeader, groups: TestArenas(seed: 1).groups, communicator: world)
      guard let listing = try output(of: "h5ls", ["-r", path]) else { return }
      let lines = listing.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1) }
      for group in testGroupPaths {
        for (name, shape, layout) in [
          ("conv_in.weight", "{3, 3, 3, 20}", "HWIO"), ("time.linear.weight", "{20, 7}", "IO"),
          ("norm.bias", "{20}", "C"),
        ] {
          let line = lines.first { $0[0] == "/\(group)/\(name)" }
          #expect(line?.last?.trimmingCharacters(in: .whitespaces) == "Dataset \(shape)", "\(group)/\(name)")
          let attribute = try output(of: "h5dump", ["-a", "/\(group)/\(name)/layout", path])
          #expect(attribute?.contains("\"\(layout)\"") == true, "\(group)/\(name)")
        }
      }
      #expect(try output(of: "h5dump", ["-a", "/step", path])?.contains("(0): 1234") == true)
      #expect(try output(of: "h5dump", ["-a", "/config", path])?.contains("seed: 3") == true)
    }

    // MARK: Files that are wrong

    private func write(_ path: String, version: Int64? = 2, complete: Int64? = 1) throws {
      let file = try HDF5File.create(path)
      if let version { try file.writeAttribute("format_version", version) }
      try file.writeAttribute("kind", "denoiser")
      try file.writeAttribute("step", Int64(testHeader.step))
      try file.writeAttribute("images", Int64(testHeader.images))
      for (name, value) in zip(["image_height", "image_width", "image_channels"], testHeader.imageShape) {
        try file.writeAttribute(name, Int64(value))
      }
      try file.writeAttribute("config", testHeader.configuration)
      for group in TestArenas(seed: 1).groups { try group.write(to: file, communicator: world) }
      if let complete { try file.writeAttribute("complete", complete) }
      try file.close()
      try FileSeal.add(to: path, contents: [])
    }

    private func expectRefusal(of path: String, because reason: String) throws {
      let arenas = TestArenas(seed: 2)
      let before = arenas.bits
      let error = #expect(throws: CheckpointError.self) {
        try Checkpoint.load(from: path, communicator: world) { _ in arenas.groups }
      }
      #expect(error?.path == path)
      #expect(error?.problem.contains(reason) == true, "\(String(describing: error))")
      #expect(arenas.bits == before, "nothing is read from a file that is refused")
      #expect(throws: (any Error).self) { try CheckpointInspection(path: path) }
    }

    /// Flips the last bit of the last byte of `bytes` where they stand in a file; they must stand there once.
    private func flipLastBit(of bytes: [UInt8], inFile path: String) throws {
      var data = try Data(contentsOf: URL(fileURLWithPath: path))
      let place = try #require(data.range(of: Data(bytes)))
      #expect(data.range(of: Data(bytes), in: place.lowerBound + 1..<data.count) == nil)
      data[place.upperBound - 1] ^= 1
      try data.write(to: URL(fileURLWithPath: path))
    }
  }
}

private let testHeader = CheckpointHeader(
  kind: .classifier, classCount: 7,
  step: 1234, images: 78976, imageShape: [28, 20, 3], configuration: "seed: 3\ndata:\n  name: größer\n",
  dataFingerprint: "5eed")

private let testGroupPaths = ["model", "ema/0.9999", "optimizer/first_moment", "optimizer/second_moment"]

private let testTensorNames = ["conv_in.weight", "time.linear.weight", "norm.bias"]

/// The groups of a checkpoint, each with random numbers.
private struct TestArenas {
  let layout: ParameterLayout
  let arenas: [Arena]

  init(seed: UInt64) {
    var layout = ParameterLayout()
    _ = layout.add("conv_in.weight", shape: [3, 3, 3, 20], order: .hwio)
    _ = layout.add("time.linear.weight", shape: [20, 7], order: .io)
    _ = layout.add("norm.bias", shape: [20], order: .c)
    self.layout = layout
    arenas = testGroupPaths.indices.map { index in
      let arena = Arena(layout)
      for (tensor, entry) in layout.entries.enumerated() {
        RandomStream(seed: seed, purpose: .noise, sample: index, detail: tensor)
          .fillNormal(arena.tensor(entry).pointer, count: entry.count)
      }
      return arena
    }
  }

  var groups: [TensorGroup] {
    zip(testGroupPaths, arenas).map {
      TensorGroup(path: $0, layout: layout, ranges: [0..<$1.count], values: $1.buffer)
    }
  }

  /// The bits of all tensors of all groups.
  var bits: [[UInt32]] {
    arenas.flatMap { arena in layout.entries.map { arena.tensor($0).elements.map(\.bitPattern) } }
  }

  func bytes(of tensor: String, in group: String) -> [UInt8] {
    let arena = arenas[testGroupPaths.firstIndex(of: group)!]
    return arena.tensor(layout[tensor]!).elements.withUnsafeBytes { Array($0) }
  }
}
