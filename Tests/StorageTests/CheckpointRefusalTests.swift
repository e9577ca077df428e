import Checkpoints
import Foundation
import HDF5
import MessagePassing
import Tensors
import TestSupport
import Testing

extension StorageTests {
  /// Damaged, unfinished and other files are refused, naming the damaged tensor if there is one.
  @Suite(.serialized) struct CheckpointRefusalTests {
    let folder: TemporaryFolder
    let world: Communicator

    init() throws {
      folder = try TemporaryFolder()
      world = try MPISession.initialise()
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
      // The file was closed properly: another one can be saved with its name.
      try Checkpoint.save(to: path, header: testHeader, groups: saved.groups, communicator: world)
      #expect(try CheckpointInspection(path: path).isWhole)
    }

    @Test func anUnfinishedFileIsRefused() throws {
      for complete in [nil, 0] as [Int64?] {
        let path = folder.path("unfinished.h5")
        try write(path, complete: complete)
        try expectRefusal(of: path, because: "it is incomplete")
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

    /// Like a copy created by another program.
    @Test func aFileWithoutItsSealIsRefused() throws {
      let path = folder.path("step.h5")
      try Checkpoint.save(to: path, header: testHeader, groups: TestArenas(seed: 1).groups, communicator: world)
      let whole = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
      let tensorCount = testGroupPaths.count * testTensorNames.count
      try expectRefusal(
        of: try folder.write(Array(whole.dropLast(28 + 16 * tensorCount)), to: "unsealed.h5"), because: "no seal")
    }

    @Test func missingAndOtherFilesAreRefused() throws {
      try expectRefusal(of: folder.path("nothing.h5"), because: "no such file")
      try expectRefusal(of: try folder.write(Array("text".utf8), to: "text.h5"), because: "not an HDF5 file")
      try expectRefusal(of: try folder.write([], to: "empty.h5"), because: "it is empty")
      try expectRefusal(of: folder.path("."), because: "it is a folder, not a file")
      let sealed = try folder.write(Array("text".utf8), to: "sealed.h5")
      try FileSeal.add(to: sealed, contents: [])
      try expectRefusal(of: sealed, because: "not an HDF5 file")
    }

    @Test func aTensorOfAnotherShapeIsRefusedByName() throws {
      let path = folder.path("step.h5")
      try write(path)
      var layout = ParameterLayout()
      _ = layout.add("conv_in.weight", shape: [3, 3, 3, 20], order: .hwio)
      // The same number of elements in another shape.
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
        let short = try folder.write(Array(whole[..<length]), to: "short.h5")
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
      let fields = try #require(Data(whole).range(of: Data((testHeader.fields ?? "").utf8)))
      let offsets = Set(stride(from: 0, to: whole.count, by: 11)).union(0..<96).union(configuration).union(fields)
        .union(
          whole.count - 300..<whole.count)
      var refused = 0
      for offset in offsets.sorted() {
        var bytes = whole
        bytes[offset] ^= 1 << UInt8(offset % 8)
        let damaged = try folder.write(bytes, to: "damaged.h5")
        let loaded = TestArenas(seed: 2)
        do {
          let header = try Checkpoint.load(from: damaged, communicator: world) { _ in loaded.groups }
          #expect(header == testHeader && loaded.bits == saved.bits, "byte \(offset)")
        } catch let error as CheckpointError {
          refused += 1
          #expect(error.path == damaged)
        }
      }
      #expect(refused == offsets.count, "a seal leaves no gap")
    }

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
      for group in TestArenas(seed: 1).groups {
        let checksums = try #require(try TensorGroup.checksums(of: [group], world))
        _ = try group.createDatasets(in: file, checksums: checksums[0])
        for entry in group.layout.entries {
          let values = Tensor(group.values)[entry.range].elements
          try file.openDataset("\(group.path)/\(entry.name)").writeAll(values)
        }
      }
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
  }
}
