import Checkpoints
import Foundation
import HDF5
import MessagePassing
import Tensors
import TestSupport
import Testing

extension StorageTests {
  @Suite(.serialized) struct CheckpointTests {
    let folder: TemporaryFolder
    let world: Communicator

    init() throws {
      folder = try TemporaryFolder()
      world = try MPISession.initialise()
    }

    @Test func savedTensorsAreLoadedExactly() throws {
      let path = folder.path("step.h5")
      let saved = TestArenas(seed: 1)
      // Numbers that arithmetic would change or confuse.
      let special: [Float] = [-0.0, .leastNonzeroMagnitude, .infinity, Float(bitPattern: 0x7FC1_2345)]
      for (index, value) in special.enumerated() { saved.arenas[0][index] = value }
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

    /// Coordinates of large grids are longer than HDF5's limit for what an attribute itself holds, 64 KiB.
    @Test func aDescriptionOfFieldsMayBeLong() throws {
      let path = folder.path("step.h5")
      var header = testHeader
      header.fields = String(repeating: "0.123456789,", count: 60_000)
      let saved = TestArenas(seed: 1)
      try Checkpoint.save(to: path, header: header, groups: saved.groups, communicator: world)
      #expect(try Checkpoint.load(from: path, communicator: world) { _ in TestArenas(seed: 2).groups } == header)
      header.fields = nil
      try Checkpoint.save(to: path, header: header, groups: saved.groups, communicator: world)
      #expect(try CheckpointInspection(path: path).header == header)
    }

    @Test func savingReplacesTheOldCheckpointAndLeavesNoTemporaryFile() throws {
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

    @Test func aRehearsalLeavesNothingAndFindsTheErrorsOfASave() throws {
      let groups = TestArenas(seed: 1).groups
      try Checkpoint.rehearse(path: folder.path("step.h5"), groups: groups, communicator: world)
      #expect(try folder.names() == [])
      let missing = #expect(throws: CheckpointError.self) {
        try Checkpoint.rehearse(path: folder.path("missing/step.h5"), groups: groups, communicator: world)
      }
      #expect(missing?.problem.contains("No such file") == true)
    }

    /// Open MPI writes beyond the end of a buffer for longer paths.
    @Test func aPathTooLongForMPIIsAnError() throws {
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
          #expect(error?.problem.contains("has 245 bytes, but MPI libraries allow 244; use a shorter path") == true)
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

    @Test func inspectionFindsTensorsInGroupsOfAnyName() throws {
      let path = folder.path("step.h5")
      var layout = ParameterLayout()
      let entry = layout.add("counts", shape: [300_001], order: .c)
      let arenas = [0, 0.5].map { (first: Float) in
        let arena = Arena(layout)
        for index in 0..<entry.count { arena.tensor(entry)[index] = first + Float(index) }
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
  }
}
