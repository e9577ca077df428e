import Compression
import Datasets
import Files
import Foundation
import HDF5
import Tensors
import TestSupport
import Testing

/// The values of an image.
func bytes(of index: Int, _ dataset: any ImageDataset) throws -> [UInt8] {
  try dataset.bytes(of: index).elements
}

/// An image in [−1, 1].
func floats(_ index: Int, of dataset: any ImageDataset, flipped: Bool = false) throws -> [Float] {
  let image = Tensor(uninitialised: dataset.imageShape)
  try dataset.copyValues(of: index, into: image, at: 0, flipped: flipped)
  return image.elements
}

extension DatasetFileTests {
  @Suite struct PackedImagesTests {
    private let training = Shapes(count: 30, size: 8)
    private let test = Shapes(count: 7, size: 8, split: .test)

    private func packed(in folder: TemporaryFolder, threads: Int = 1) throws -> String {
      let path = "\(folder.path)/packed.h5"
      let packer = ImagePacker(name: "few shapes", training: training, test: test, allowsFlips: true)
      let damaged = try packer.write(to: path, workers: WorkerPool(threadCount: threads))
      #expect(damaged.training.isEmpty && damaged.test.isEmpty)
      return path
    }

    private func failure(_ path: String, split: DatasetSplit = .training) -> DatasetError? {
      #expect(throws: DatasetError.self) { try PackedImages(path: path, split: split) }
    }

    @Test(arguments: [1, 3])
    func imagesAndLabelsRoundTrip(threads: Int) throws {
      let folder = try TemporaryFolder()
      let path = try packed(in: folder, threads: threads)
      for (split, original) in [(DatasetSplit.training, training), (.test, test)] {
        let images = try PackedImages(path: path, split: split)
        #expect(images.count == original.count && images.imageShape == original.imageShape)
        #expect(images.name == "few shapes" && images.classNames == original.classNames)
        #expect(images.allowsFlips && images.readsFiles)
        for index in 0..<original.count {
          #expect(images.label(of: index) == original.label(of: index))
          #expect(try bytes(of: index, images) == bytes(of: index, original))
        }
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["packed.h5"])
    }

    @Test func dataWithoutClassesHasNone() throws {
      let folder = try TemporaryFolder()
      try folder.writePNG([1, 2, 3, 4], width: 2, to: "a.png")
      let path = "\(folder.path)/packed.h5"
      let images = try FolderImages(FolderArrangement(folder.path).images(.training))
      _ = try ImagePacker(name: "x", training: images, allowsFlips: false).write(to: path, workers: .callingThread)
      let packed = try PackedImages(path: path)
      #expect(packed.classNames.isEmpty && packed.label(of: 0) == nil && !packed.allowsFlips)
      #expect(try bytes(of: 0, packed) == [1, 2, 3, 4])
      let error = failure(path, split: .test)
      #expect(error?.kind == .missing && error?.description.contains("--test") == true)
    }

    @Test func aDamagedImageIsNamedAndOthersAreRead() throws {
      let folder = try TemporaryFolder()
      let path = try packed(in: folder)
      try flipBit(of: 17, inFile: path)
      let images = try PackedImages(path: path)
      let error = #expect(throws: DatasetError.self) { try bytes(of: 17, images) }
      #expect(error?.kind == .damaged && error?.location == path)
      #expect(error?.problem == "images[17] is damaged: its checksum does not match")
      #expect(try bytes(of: 16, images) == bytes(of: 16, training))
      // Also as a source for another file.
      #expect(throws: try #require(error)) { try bytes(of: 17, HDF5Images(path: path)) }
      let damaged = try readAll(images, threads: 2)
      #expect(damaged.map(\.index) == [17] && damaged[0].error == error)
    }

    /// Damages an image and nothing else.
    private func flipBit(of image: Int, inFile path: String) throws {
      let file = try HDF5File.open(path)
      let start = try #require(try file.openDataset("images").contiguousOffset())
      try file.close()
      try flip(8 * (start + image * training.elementsPerImage + 5) + 1, inFile: path)
    }

    private func flip(_ bit: Int, inFile path: String) throws {
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      defer { try? file.close() }
      try file.seek(toOffset: UInt64(bit / 8))
      let byte = try #require(try file.read(upToCount: 1)?.first)
      try file.seek(toOffset: UInt64(bit / 8))
      try file.write(contentsOf: [byte ^ 1 << (bit % 8)])
    }

    @Test func everyFlippedBitIsDetected() throws {
      let folder = try TemporaryFolder()
      let path = try packed(in: folder)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      // The superblock, the root's headers and heaps, and a sample of the rest, including the whole seal.
      let bits = Array(stride(from: 0, to: 8 * whole.count, by: 997)) + Array(8 * (whole.count - 60)..<8 * whole.count)
      for bit in bits {
        try flip(bit, inFile: path)
        let isNoticed: Bool
        do {
          let images = try PackedImages(path: path)
          let tests = try PackedImages(path: path, split: .test)
          isNoticed = try !readAll(images, threads: 1).isEmpty || !readAll(tests, threads: 1).isEmpty
        } catch is DatasetError {
          isNoticed = true
        }
        #expect(isNoticed, "bit \(bit)")
        try flip(bit, inFile: path)
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole)
      #expect(try readAll(PackedImages(path: path), threads: 1).isEmpty)
    }

    /// As a source for another file: a child process reads files without a seal, and may crash or be stopped.
    @Test func aDamagedForeignFileIsRefusedOrRead() throws {
      let folder = try TemporaryFolder()
      let path = try packed(in: folder)
      let file = try HDF5File.open(path, writable: true)
      try file.writeAttribute("name", "without its seal")
      try file.close()
      #expect(failure(path)?.kind == .wrongLayout)
      #expect(failure(path)?.advice.contains("ddpm-mpi pack \(path) --output") == true)
      #expect(try HDF5Images(path: path).name == "without its seal")
      let size = try Data(contentsOf: URL(fileURLWithPath: path)).count
      for bit in stride(from: 8 * 40, to: 8 * min(size, 2048), by: 1201) {
        try flip(bit, inFile: path)
        do { _ = try readAll(HDF5Images(path: path), threads: 1) } catch is DatasetError {}
        try flip(bit, inFile: path)
      }
    }

    /// All images at once.
    private func readAll(_ images: any ImageDataset, threads: Int) throws -> [DamagedImage] {
      try images.copyBytes(
        of: 0..<images.count, into: ByteTensor(uninitialised: [images.count] + images.imageShape),
        workers: WorkerPool(threadCount: threads))
    }

    @Test func truncationAfterOpeningIsAReadError() throws {
      let folder = try TemporaryFolder()
      let path = try packed(in: folder)
      let images = try PackedImages(path: path)
      #expect(truncate(path, 4096) == 0)
      let error = #expect(throws: DatasetError.self) { try bytes(of: 29, images) }
      #expect(error?.kind == .truncated && error?.problem.contains("images[29]") == true)
      #expect(failure(path)?.problem.contains("truncated") == true)
    }

    @Test func fingerprintDependsOnContentsLabelsAndSplits() throws {
      let folder = try TemporaryFolder()
      let path = try packed(in: folder)
      var prints = [try PackedImages(path: path).fingerprint]
      #expect(try PackedImages(path: path).fingerprint == prints[0])
      prints.append(try PackedImages(path: path, split: .test).fingerprint)
      for change in ["crc32", "labels"] {
        let file = try HDF5File.open(path, writable: true)
        // Neither the checksum nor the label that is there.
        let number = training.label(of: 4)! == 0 ? 1 : 0
        let dataset = try file.openDataset(change)
        if dataset.type == .int64 {
          try dataset.write(flatRanges: [4..<5], from: [Int64(number)])
        } else {
          try dataset.write(flatRanges: [4..<5], from: [UInt32(number)])
        }
        try dataset.close()
        try file.close()
        try FileSeal.add(to: path, contents: [])
        prints.append(try PackedImages(path: path).fingerprint)
      }
      #expect(Set(prints).count == 4)
    }

    @Test func unreadableFilesAreRefusedWithARemedy() throws {
      let folder = try TemporaryFolder()
      let path = "\(folder.path)/other.h5"
      func write(_ change: (borrowing HDF5File) throws -> Void) throws {
        let file = try HDF5File.create(path)
        try file.createDataset("images", shape: [2, 2, 2, 1], type: .uint8).writeAll((0..<8).map { UInt8($0) })
        try change(file)
        try file.close()
        try FileSeal.add(to: path, contents: [])
      }
      try write { _ in }
      #expect(failure(path)?.problem.contains("no checksums") == true)
      #expect(failure(path)?.advice.contains("ddpm-mpi pack \(path) --output") == true)
      try write { try $0.createDataset("crc32", shape: [2], type: .uint32).writeAll([1, 2] as [UInt32]) }
      #expect(failure(path)?.problem.contains("it is incomplete") == true)
      try write { try $0.createDataset("labels", shape: [3], type: .int64).writeAll([0, 1, 2] as [Int64]) }
      #expect(failure(path)?.kind == .countMismatch)
      try write {
        try $0.createDataset("labels", shape: [2], type: .int64).writeAll([0, 2] as [Int64])
        try $0.writeAttribute("class_names", ["a", "b"])
      }
      #expect(failure(path)?.kind == .wrongLabel && failure(path)?.problem.contains("label 1 is 2") == true)
      try write { try $0.createDataset("labels", shape: [2], type: .int64).writeAll([0, -1] as [Int64]) }
      #expect(failure(path)?.kind == .wrongLabel)
      let empty = try HDF5File.create(path)
      try empty.createDataset("images", shape: [2, 4], type: .uint8).writeAll((0..<8).map { UInt8($0) })
      try empty.close()
      try FileSeal.add(to: path, contents: [])
      #expect(failure(path)?.kind == .wrongDimensions)
      try HDF5File.create(path).close()
      #expect(failure(path)?.problem.contains("no seal") == true)
      try FileSeal.add(to: path, contents: [])
      #expect(failure(path)?.problem == "it has no dataset `images`")
      try folder.write([1, 2, 3], to: "other.h5")
      #expect(failure(path)?.kind == .wrongMagic)
      #expect(failure("\(folder.path)/none.h5")?.kind == .missing)
    }

    @Test func chunkedFilesByH5pyCanBePackedButNotTrainedOn() throws {
      let folder = try TemporaryFolder()
      try folder.write([UInt8](try #require(Data(base64Encoded: chunkedImagesByH5py))), to: "chunked.h5.gz")
      let path = "\(folder.path)/chunked.h5"
      try folder.write(try gunzip(contentsOf: "\(path).gz"), to: "chunked.h5")
      #expect(failure(path)?.kind == .wrongLayout)
      let source = try HDF5Images(path: path)
      let packer = ImagePacker(name: source.name, training: source, allowsFlips: false)
      _ = try packer.write(to: "\(folder.path)/packed.h5", workers: WorkerPool(threadCount: 2))
      let packed = try PackedImages(path: "\(folder.path)/packed.h5")
      #expect(packed.name == "chunked" && packed.imageShape == [2, 2, 3] && packed.classNames == ["cat", "dög"])
      #expect((0..<3).map { packed.label(of: $0) } == [1, 0, 1])
      for index in 0..<3 { #expect(try bytes(of: index, packed) == (0..<12).map { UInt8(12 * index + $0) }) }
    }

    @Test func allDamagedImagesAreReportedAndNoFileIsLeft() throws {
      let folder = try TemporaryFolder()
      let source = try packed(in: folder)
      for image in [3, 28] { try flipBit(of: image, inFile: source) }
      let path = "\(folder.path)/again.h5"
      let images = try PackedImages(path: source)
      var packer = ImagePacker(name: "again", training: images, allowsFlips: false)
      let error = #expect(throws: DatasetError.self) { try packer.write(to: path, workers: .callingThread) }
      #expect(error?.problem.contains("images[3]") == true)
      let damaged = try packer.write(to: path, workers: WorkerPool(threadCount: 3), stopsAtDamage: false)
      #expect(damaged.training.map(\.index) == [3, 28] && damaged.test.isEmpty)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["packed.h5"])

      packer.training = RemainingImages(images, without: [3, 28])
      _ = try packer.write(to: path, workers: .callingThread, stopsAtDamage: false)
      let again = try PackedImages(path: path)
      #expect(again.count == 28)
      for (index, original) in [(2, 2), (3, 4), (26, 27), (27, 29)] {
        #expect(try bytes(of: index, again) == bytes(of: original, training))
        #expect(again.label(of: index) == training.label(of: original))
      }
    }

    @Test func aFileThatCannotBeWrittenIsNamed() throws {
      let packer = ImagePacker(name: "x", training: training, allowsFlips: false)
      let error = #expect(throws: FileError.self) {
        try packer.write(to: "/nowhere/packed.h5", workers: .callingThread)
      }
      #expect(error?.description.contains("/nowhere/packed.h5") == true)
    }
  }
}
