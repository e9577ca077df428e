import Compression
import Foundation
import HDF5
import TestSupport
import Testing

extension StorageTests {
  @Suite(.serialized) struct HDF5FileTests {
    @Test func attributesRoundTripOnFileGroupAndDataset() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("attributes.h5")
      let file = try HDF5File.create(path)
      try file.createDataset("run/state/step", shape: [], type: .int32).close()
      try file.createDataset("run/weights", shape: [1], type: .uint8).writeAll([7 as UInt8])
      let long = String(repeating: "learning_rate: 2e-4 # ä\n", count: 10_000)
      for object in ["/", "/run/state", "run/weights"] {
        try file.writeAttribute("text", long, of: object)
        try file.writeAttribute("empty", "", of: object)
        try file.writeAttribute("step", Int64.min, of: object)
        try file.writeAttribute("checksum", UInt32.max, of: object)
        try file.writeAttribute("loss", 0.1, of: object)
        try file.writeAttribute("loss", -0.2, of: object)
      }
      try file.close()

      let reopened = try HDF5File.open(path)
      for object in ["", "run/state", "/run/weights"] {
        #expect(try reopened.readAttribute("text", of: object, as: String.self) == long)
        #expect(try reopened.readAttribute("empty", of: object, as: String.self) == "")
        #expect(try reopened.readAttribute("step", of: object, as: Int64.self) == Int64.min)
        #expect(try reopened.readAttribute("checksum", of: object, as: UInt32.self) == UInt32.max)
        #expect(try reopened.readAttribute("loss", of: object, as: Double.self) == -0.2)
        #expect(try reopened.attributeExists("loss", of: object))
        #expect(try !reopened.attributeExists("gain", of: object))
      }
      try reopened.close()
    }

    @Test func attributesThatAreMissingOrDoNotFitAreErrors() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("attributes.h5")
      let file = try HDF5File.create(path)
      try file.writeAttribute("step", Int64(-1))
      try file.writeAttribute("text", "x")
      let missing = try #require(throws: HDF5Error.self) { _ = try file.readAttribute("pace", as: Int64.self) }
      #expect(missing.reason == .noSuchObject)
      #expect(missing.description.contains("\(path):/, attribute pace"))
      let negative = try #require(throws: HDF5Error.self) { _ = try file.readAttribute("step", as: UInt32.self) }
      #expect(negative.message == "-1 is out of range")
      let text = try #require(throws: HDF5Error.self) { _ = try file.readAttribute("text", as: Double.self) }
      #expect(text.reason == .wrongType)
      let zero = try #require(throws: HDF5Error.self) { try file.writeAttribute("text", "a\0b") }
      #expect(zero.reason == .wrongType)
      try file.close()
    }

    @Test func listsOfTextsRoundTrip() throws {
      let folder = try TemporaryFolder()
      let file = try HDF5File.create(folder.path("lists.h5"))
      let texts = (0..<5000).map { "class \($0) ä" } + [""]
      try file.writeAttribute("names", ["replaced"])
      try file.writeAttribute("names", texts)
      try file.writeAttribute("none", [String]())
      try file.close()
      let reopened = try HDF5File.open(folder.path("lists.h5"))
      #expect(try reopened.readAttribute("names", as: [String].self) == texts)
      #expect(try reopened.readAttribute("none", as: [String].self) == [])
      try reopened.close()
    }

    @Test func filesByH5pyAreRead() throws {
      let folder = try TemporaryFolder()
      let compressed = try folder.write([UInt8](try #require(Data(base64Encoded: fileByH5py))), to: "h5py.h5.gz")
      let path = try folder.write(try gunzip(contentsOf: compressed), to: "h5py.h5")
      let file = try HDF5File.open(path)
      #expect(try file.readAttribute("variable", as: String.self) == "größer als ☃")
      #expect(try file.readAttribute("empty", as: String.self) == "")
      #expect(try file.readAttribute("fixed", as: String.self) == "ten bytes!")
      #expect(try file.readAttribute("integer", as: Int64.self) == -7)
      #expect(try file.readAttribute("narrow", as: UInt32.self) == 200)
      #expect(try file.readAttribute("number", as: Double.self) == 2.5)
      #expect(try file.readAttribute("note", of: "group", as: String.self) == "in a group")
      #expect(throws: HDF5Error.self) { try file.readAttribute("unsigned", as: Int64.self) }
      #expect(throws: HDF5Error.self) { try file.readAttribute("several", as: Int64.self) }
      do {
        let bigEndian = try file.openDataset("group/big")
        #expect(bigEndian.shape == [2, 3])
        #expect(try bigEndian.readAll(as: Float.self) == [0, 1, 2, 3, 4, 5])
      }
      let half = try #require(throws: HDF5Error.self) { _ = try file.openDataset("group/half") }
      #expect(half.reason == .wrongType)
      try file.close()
    }

    @Test func objectsAreListedWithTheirKinds() throws {
      let folder = try TemporaryFolder()
      let file = try HDF5File.create(folder.path("objects.h5"))
      #expect(try file.names() == [])
      for name in ["model/zeta", "model/alpha", "model/Mid", "model/down/deep"] {
        try file.createDataset(name, shape: [1], type: .int32).close()
      }
      #expect(try file.names() == ["model"])
      #expect(try file.names(in: "model") == ["Mid", "alpha", "down", "zeta"])
      #expect(try file.names(in: "/model/down") == ["deep"])
      #expect(try file.isGroup("model/down"))
      #expect(try !file.isGroup("model/zeta"))
      #expect(try file.exists("/model/down/deep"))
      #expect(try file.exists("/"))
      #expect(try !file.exists("model/up/deep"))
      for path in ["model/up", "model/zeta"] {
        #expect(throws: HDF5Error.self) { try file.names(in: path) }
      }
      let missing = try #require(throws: HDF5Error.self) { _ = try file.openDataset("model/up") }
      #expect(missing.reason == .noSuchObject)
      let again = try #require(throws: HDF5Error.self) {
        _ = try file.createDataset("model/zeta", shape: [1], type: .int32)
      }
      #expect(again.message.contains("exists"))
      try file.close()
    }

    @Test func openingAFileThatIsMissingSaysSo() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("missing.h5")
      let error = try #require(throws: HDF5Error.self) { _ = try HDF5File.open(path) }
      #expect(error.reason == .noSuchFile)
      #expect(error.description == "\(path): there is no such file (H5Fopen)")
    }

    @Test func openingSomethingElseSaysSo() throws {
      let folder = try TemporaryFolder()
      let path = try folder.write(Array("not HDF5 at all".utf8), to: "text.h5")
      let error = try #require(throws: HDF5Error.self) { _ = try HDF5File.open(path) }
      #expect(error.reason == .notHDF5)
      #expect(error.description == "\(path): this is not an HDF5 file (H5Fopen)")
      let empty = try folder.write([], to: "empty.h5")
      let emptiness = try #require(throws: HDF5Error.self) { _ = try HDF5File.open(empty) }
      #expect(emptiness.reason == .notHDF5 && emptiness.description == "\(empty): it is empty (H5Fopen)")
    }

    @Test func exclusiveCreationDoesNotReplaceAFile() throws {
      let folder = try TemporaryFolder()
      let path = try folder.write([1, 2, 3], to: "precious.h5")
      let error = try #require(throws: HDF5Error.self) { _ = try HDF5File.create(path, exclusive: true) }
      #expect(error.reason == .fileExists)
      #expect(error.description.contains(path))
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([1, 2, 3]))
    }

    @Test func creationInAMissingFolderNamesFileAndCause() throws {
      let folder = try TemporaryFolder()
      let path = folder.path("nowhere/run.h5")
      let error = try #require(throws: HDF5Error.self) { _ = try HDF5File.create(path) }
      #expect(error.description.contains(path))
      #expect(error.description.contains("No such file or directory"))
    }
  }
}

/// Written by h5py 3.16: attributes of several types, a big-endian dataset and one of half precision; gzip, base64.
private let fileByH5py = """
  H4sIAAAAAAACA+1ZMW/TQBR+ZyfFdYPiqKCkLQh368jQoQNSXdFABkQrQIixjnAdS6kTOU5pp1ZiCRsjGx0ZmfgDXTLyEyp+ARMSU7Dv3nNsNyQI
  hiL1vkh5fu/uvXd3/s4+Pb9rbD+6qS/rEEPToAAGpDFCvLyb1al9DyVDOUD5SSH7Am+rod3A+KYq9BbaXzyr1+PeoxwozxoG0EDiOqJR39qN5auE
  RwJDJdvPDTr9boqPjX/MS3wdLAr9AgOXMDKDebgVsfLQDjy72XbIb4kx7mkkY9Ey+yS2D9Tx3nn8cOcJS02M5ebpBudfzj86gWm3e+a3D29z0wYM
  BTpKzzdtkxYjhbOy5JKEhISEhISEhISEhISExFWhQnUG1Kl+VgIL6wFzvM7gHHTD4z+oL0CqvqDwOPeTOFr02/eOnNeRvshEzYD8Qsc3m8eh01ul
  /OSnRdcaeH7ouE4AhkYZrUzen1i3K8EG2ue5X9/vea7PU3IYMNl/lPhT3hvc37eDoPPm9/MdAo13I/GL18vvHzSj4ULF3EzyrS/A+ihVexmjYJVg
  NzXfGvScQyew25fny4Qn1V1IUjzlkl2dWAf9cUfoe2ifVQc9XR6vn8T1Q74OSnz6Ws32a3ouly27vZ/mpfWXeZ8/3dlmfFcItG5n+f4e9c9VeY+m
  gUFRrBkjfU1IhU18buR1Nbrjcc/K6j0ocIsJVQ2qJ9hejO5Q3K4oIqCGDFHZcCXLGMLRla6H4JWS8Kq7NL0/PfcuViSX8tg8Ffvbiv6s+PpsEt9q
  U99fCb/MMnLPAL0Ienkmv77jm2wuN6rB/7ZMD8Ci01b+qTU+bRXF6aET8i86s05beuq0FYtfqoSxWlYdAAA=
  """.replacingOccurrences(of: "\n", with: "")
