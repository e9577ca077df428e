import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

extension StorageTests {
  @Suite(.serialized) struct HDF5DatasetTests {
    static let shapes = [[], [1], [37], [5, 7], [1, 12], [4, 3, 5], [3, 1, 6], [3, 4, 2, 5], [2, 3, 4, 5]]

    @Test func elementsAreAtTheReportedOffset() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("offset.h5")
      let bytes = (0..<60).map { UInt8($0 * 3) }
      let file = try HDF5File.create(path)
      let written = try file.createDataset("group/images", shape: [5, 3, 4], type: .uint8)
      try written.writeAll(bytes)
      try written.close()
      try file.close()
      let reopened = try HDF5File.open(path)
      let offset = try #require(try reopened.openDataset("group/images").contiguousOffset())
      #expect([UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))[offset..<offset + 60] == bytes[...])
      try reopened.close()
    }

    @Test func wholeNumbersOfAnyWidthAreRead() throws {
      let folder = try TemporaryFolder()
      let file = try HDF5File.create(folder.path("numbers.h5"))
      try file.createDataset("bytes", shape: [2], type: .uint8).writeAll([255, 0] as [UInt8])
      try file.createDataset("signed", shape: [2], type: .int32).writeAll([-5, 7] as [Int32])
      try file.createDataset("unsigned", shape: [1], type: .uint32).writeAll([UInt32.max])
      try file.createDataset("fractions", shape: [1], type: .float32).writeAll([0.5 as Float])
      #expect(try file.readIntegers("bytes") == [255, 0])
      #expect(try file.readIntegers("signed") == [-5, 7])
      #expect(try file.readIntegers("unsigned") == [Int64(UInt32.max)])
      let error = #expect(throws: HDF5Error.self) { _ = try file.readIntegers("fractions") }
      #expect(error?.reason == .wrongType)
      try file.close()
    }

    @Test(arguments: ElementType.allCases)
    func piecesWrittenInAnyOrderReadBackInAnyPieces(type: ElementType) throws {
      let folder = try TemporaryFolder()
      var random = TestRandom(state: 1)
      let file = try HDF5File.create(folder.path("pieces.h5"))
      try verifyPieces(of: file, type, &random)
      try file.close()
    }

    /// Compares flat ranges of datasets of all shapes with the same bytes in memory.
    private func verifyPieces(
      of file: borrowing HDF5File, _ type: ElementType, _ random: inout TestRandom
    ) throws {
      for shape in Self.shapes {
        let dataset = try file.createDataset("shapes/\(shape)", shape: shape, type: type)
        let width = type.byteCount
        let bytes = ByteTensor(random.bytes(dataset.count * width), shape: [dataset.count * width])
        for piece in random.cuts(of: dataset.count, pieces: 4).shuffled(using: &random) {
          let part = bytes[piece.lowerBound * width..<piece.upperBound * width]
          try dataset.writeBytes(flatRanges: [piece], from: part)
        }
        let whole = ByteTensor(shape: bytes.shape)
        try dataset.readBytes(flatRanges: [0..<dataset.count], into: whole)
        #expect(whole.elements == bytes.elements, "\(shape)")
        for _ in 0..<20 {
          let range = random.range(in: dataset.count)
          let part = ByteTensor(shape: [range.count * width])
          try dataset.readBytes(flatRanges: [range], into: part)
          let expected = bytes[range.lowerBound * width..<range.upperBound * width].elements
          #expect(part.elements == expected, "\(shape) \(range)")
        }
        // Every second piece, all in one call.
        let ranges = random.cuts(of: dataset.count, pieces: 7).enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        let parts = ByteTensor(shape: [ranges.reduce(0) { $0 + $1.count } * width])
        try dataset.readBytes(flatRanges: ranges, into: parts)
        let expected = ranges.flatMap { bytes[$0.lowerBound * width..<$0.upperBound * width].elements }
        #expect(parts.elements == expected, "\(shape) \(ranges)")
        try dataset.close()
      }
    }

    @Test func arraysRoundTripWithShapeAndType() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("arrays.h5")
      let file = try HDF5File.create(path)
      try roundTrip([1.5, -2, .infinity, 0.1, 5, 6] as [Float], shape: [2, 3], in: file)
      try roundTrip([1.5, -2, 1e300] as [Double], shape: [3], in: file)
      try roundTrip([Int32.min, 0, Int32.max], shape: [3, 1], in: file)
      try roundTrip([Int64.min, Int64.max], shape: [1, 2], in: file)
      try roundTrip([0, 255] as [UInt8], shape: [2], in: file)
      try roundTrip([UInt32.max], shape: [], in: file)
      try roundTrip([] as [Float], shape: [4, 0], in: file)
      try file.close()
    }

    private func roundTrip<Element: HDF5Element & Equatable>(
      _ values: [Element], shape: [Int], in file: borrowing HDF5File
    ) throws {
      let name = "arrays/\(Element.elementType)/\(shape)"
      try file.createDataset(name, shape: shape, type: Element.elementType).writeAll(values)
      let dataset = try file.openDataset(name)
      #expect(dataset.shape == shape)
      #expect(dataset.type == Element.elementType)
      #expect(try dataset.readAll(as: Element.self) == values)
    }

    @Test func wrongElementTypeAndCountAreErrorsThatNameTheDataset() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("types.h5")
      let file = try HDF5File.create(path)
      let dataset = try file.createDataset("weights", shape: [2], type: .float32)
      let type = try #require(throws: HDF5Error.self) { _ = try dataset.readAll(as: Double.self) }
      #expect(type.reason == .wrongType)
      #expect(type.description.contains("\(path):weights: it holds float32, not float64"))
      let count = try #require(throws: HDF5Error.self) { try dataset.writeAll([1, 2, 3] as [Float]) }
      #expect(count.description.contains("\(path):weights: it has 2 elements, not 3"))
      try dataset.close()
      try file.close()
    }

    @Test func aFileWithAnOpenDatasetRefusesToClose() throws {
      let folder = try TemporaryFolder()
      let file = try HDF5File.create(folder.path("open.h5"))
      let dataset = try file.createDataset("weights", shape: [2], type: .float32)
      do {
        try file.close()
        Issue.record("the file was closed")
      } catch {
        #expect(error.call == "H5Fclose")
      }
      try dataset.close()
    }

    @Test func otherToolsReadTheFile() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("tools.h5")
      let file = try HDF5File.create(path)
      try file.createDataset("model/kernel", shape: [2, 2], type: .float32).writeAll([1, 2.5, -3, 4] as [Float])
      try file.writeAttribute("text", "αβγ")
      try file.close()
      guard let dump = try output(of: "h5dump", ["-p", path]) else { return }
      for expected in ["H5T_IEEE_F32LE", "( 2, 2 )", "1, 2.5", "-3, 4", "CONTIGUOUS", "H5T_VARIABLE", "H5T_CSET_UTF8"] {
        #expect(dump.contains(expected), "\(expected)")
      }
    }
  }
}
