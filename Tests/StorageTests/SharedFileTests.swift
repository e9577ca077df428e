import Foundation
import HDF5
import MessagePassing
import Tensors
import TestSupport
import Testing

extension StorageTests {
  /// Files that ranks share, here of one rank.
  @Suite(.serialized) struct SharedFileTests {
    let folder: TemporaryFolder
    let world: Communicator

    init() throws {
      folder = try TemporaryFolder()
      world = try MPISession.initialise()
    }

    /// Also with a limit for which segments are divided.
    @Test(arguments: [nil, 100, 7, 1])
    func segmentsInAnyOrderAreWrittenAndReadInOneGo(limit: Int?) throws {
      var random = TestRandom(state: 3)
      let path = try folder.write([UInt8](repeating: 0, count: 1000), to: "bytes")
      var expected = [UInt8](repeating: 0, count: 1000)
      let memory = ByteTensor(random.bytes(1100), shape: [1100])
      var segments: [FileSegment] = []
      // Every second piece of the file; the parts of memory follow one another, or have gaps.
      var start = 0
      for (index, piece) in random.cuts(of: 1000, pieces: 20).enumerated() where index % 2 == 0 {
        let part = memory[start..<start + piece.count]
        start += piece.count + (index % 4 == 0 ? 3 : 0)
        expected.replaceSubrange(piece, with: part.elements)
        segments.append(FileSegment(offset: piece.lowerBound, part))
      }
      try write(segments.shuffled(using: &random), to: path, limit: limit)
      #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) == expected)

      var file = try SharedFile(path, communicator: world)
      if let limit { file.transferLimit = limit }
      let whole = ByteTensor(shape: [1000])
      try file.read(into: [
        FileSegment(offset: 600, whole[600..<1000]), FileSegment(offset: 0, whole[0..<250]),
        FileSegment(offset: 250, whole[250..<600]),
      ])
      try file.close()
      #expect(whole.elements == expected)
    }

    @Test func nothingIsWrittenForSegmentsWithoutBytes() throws {
      let path = try folder.write([1, 2, 3], to: "bytes")
      try write([FileSegment(offset: 1, ByteTensor(shape: [0]))], to: path)
      try write([], to: path)
      #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) == [1, 2, 3])
    }

    /// Before and after writing in one go, which leaves no trace in how the file is seen.
    @Test func aRankWritesAlone() throws {
      let path = try folder.write([UInt8](repeating: 0, count: 10), to: "bytes")
      let file = try SharedFile(path, writable: true, communicator: world)
      try file.writeAlone(FileSegment(offset: 1, ByteTensor([1, 2], shape: [2])))
      try file.write([
        FileSegment(offset: 4, ByteTensor([3], shape: [1])), FileSegment(offset: 8, ByteTensor([4], shape: [1])),
      ])
      try file.writeAlone(FileSegment(offset: 5, ByteTensor([5, 6], shape: [2])))
      try file.close()
      try SharedFile.flush(path, communicator: world)
      #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) == [0, 1, 2, 0, 3, 5, 6, 0, 4, 0])
    }

    @Test(arguments: ElementType.allCases)
    func elementsWrittenAtADatasetsPlaceAreReadByTheLibrary(type: ElementType) throws {
      var random = TestRandom(state: 4)
      let path = folder.path("locations.h5")
      let shapes = [[], [1], [37], [5, 7], [4, 3, 5], [0, 3]]
      let created = try HDF5File.create(path)
      var locations: [DatasetLocation] = []
      for shape in shapes {
        locations.append(try created.createDataset("shapes/\(shape)", shape: shape, type: type).location())
      }
      try created.close()
      let contents = shapes.map { random.bytes($0.reduce(1, *) * type.byteCount) }
      try write(
        zip(locations, contents).map { FileSegment(offset: $0.offset(of: 0), ByteTensor($1, shape: [$1.count])) },
        to: path)
      let file = try HDF5File.open(path)
      for (shape, (location, bytes)) in zip(shapes, zip(locations, contents)) {
        let dataset = try file.openDataset("shapes/\(shape)")
        #expect(try dataset.location() == location, "\(shape)")
        let found = ByteTensor(shape: [bytes.count])
        try dataset.readBytes(flatRanges: [0..<dataset.count], into: found)
        #expect(found.elements == bytes, "\(shape)")
        try dataset.close()
      }
      try file.close()
    }

    @Test func aMissingFileIsNamed() {
      let path = folder.path("missing")
      let access = #expect(throws: SharedFileError.self) { try SharedFile.checkAccess(path) }
      #expect(access?.description == "\(path): No such file or directory (open)")
      let opening = #expect(throws: SharedFileError.self) {
        try SharedFile(path, communicator: world).close()
      }
      #expect(opening?.description.contains(path) == true)
    }

    private func write(_ segments: [FileSegment], to path: String, limit: Int? = nil) throws {
      var file = try SharedFile(path, writable: true, communicator: world)
      if let limit { file.transferLimit = limit }
      try file.write(segments)
      try file.close()
    }
  }
}
