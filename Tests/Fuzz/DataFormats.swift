import Compression
import Datasets
import Files
import Foundation
import HDF5
import Packing
import Tensors

/// Reads every image and label.
private func readAll(_ images: any ImageDataset) throws {
  for index in 0..<images.count {
    _ = images.label(of: index)
    _ = try images.bytes(of: index)
  }
}

private func idx(_ shape: [UInt32], _ values: [UInt8]) -> [UInt8] {
  [0, 0, 8, UInt8(shape.count)] + shape.flatMap(bigEndian) + values
}

private func packedImages(_ count: Int) throws -> [UInt8] {
  try contents { path in
    let packer = ImagePacker(
      name: "shapes", training: Shapes(count: count, size: 8), test: Shapes(count: 3, size: 8, split: .test),
      allowsFlips: true)
    _ = try packer.write(to: path, workers: .callingThread)
  }
}

let dataFormats = [
  Format(
    name: "idx",
    example: {
      let images = idx([4, 28, 28], (0..<4 * 784).map { UInt8($0 % 251) })
      let labels = idx([4], [0, 9, 3, 3])
      return Example([
        "train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels, "t10k-images-idx3-ubyte": images,
        "t10k-labels-idx1-ubyte": labels,
      ])
    },
    read: { folder in
      for split in DatasetSplit.allCases { try readAll(MNIST.load(folder: folder, split: split)) }
    }),
  Format(
    name: "cifar",
    example: {
      let batch = (0..<10_000).flatMap { [UInt8($0 % 10)] + [UInt8](repeating: UInt8($0 % 251), count: 3072) }
      return Example(["test_batch.bin": Array(batch.prefix(3073 * 10_000))])
    },
    read: { try readAll(CIFAR10.load(folder: $0, split: .test)) }),
  Format(
    name: "packed",
    example: { Example(["packed.h5": try packedImages(5)]) },
    read: { folder in
      _ = PackedImages.areIn("\(folder)/packed.h5")
      let inspection = try PackedFileInspection(path: "\(folder)/packed.h5")
      if let damaged = inspection.parts.flatMap(\.damaged).first { throw damaged.error }
    }),
  Format(
    name: "foreign",
    example: {
      // A file without its seal may come from anywhere.
      Example([
        "images.h5": try contents { path in
          try Data(packedImages(3)).write(to: URL(fileURLWithPath: path))
          let file = try HDF5File.open(path, writable: true)
          try file.writeAttribute("name", "no seal")
          try file.close()
        }
      ])
    },
    read: { try readAll(HDF5Images(path: "\($0)/images.h5")) }),
  Format(
    name: "gzip",
    example: { Example(["text.gz": [UInt8](Data(base64Encoded: gzipOfText)!)]) },
    read: { _ = try gunzip(contentsOf: "\($0)/text.gz") }),
  Format(
    name: "npy",
    example: {
      let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 4, 4), }"
      let padded = header.padding(toLength: 117, withPad: " ", startingAt: 0) + "\n"
      return Example([
        "images.npy": [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8) + (0..<48).map { UInt8($0) }
      ])
    },
    mutate: { Bool.random(using: &$2) ? Mutator.text($0, $1, using: &$2) : Mutator.bytes($0, $1, using: &$2) },
    read: { try readAll(NumpySource("\($0)/images.npy").images(.training)) }),
  Format(
    name: "archive",
    example: { Example(["images.zip": [UInt8](Data(base64Encoded: archiveOfImages)!)]) },
    mutate: { Bool.random(using: &$2) ? Mutator.text($0, $1, using: &$2) : Mutator.bytes($0, $1, using: &$2) },
    repair: repairZip,
    read: { try readAll(FolderImages(FolderArrangement("\($0)/images.zip").images(.training))) }),
]

/// Created with Python's zipfile: two PNGs of 4x4 pixels in a folder, and their labels in EDM's dataset.json.
private let archiveOfImages = """
  UEsDBBQAAAAAAAAAIQCI5Ro7UwAAAFMAAAAOAAAAMDAwMDAvaW1nMC5wbmeJUE5HDQoaCgAAAA1JSERSAAAABAAAAAQIAAAAAIyawaIAAAAaSURBVHic\
  Y2AGAgZmFlY2BmZWdk4GZjZOHgACqABVzCqOdwAAAABJRU5ErkJgglBLAwQUAAAAAAAAACEACNsEhVMAAABTAAAADgAAADAwMDAwL2ltZzEucG5niVBO\
  Rw0KGgoAAAANSUhEUgAAAAQAAAAECAAAAACMmsGiAAAAGklEQVR4nGOIAgKGqOiYWIaomLgEhqjYhGQAOQgFxekeVNcAAAAASUVORK5CYIJQSwMEFAAA\
  AAAAAAAhAMe4ZEM6AAAAOgAAAAwAAABkYXRhc2V0Lmpzb257ImxhYmVscyI6IFtbIjAwMDAwL2ltZzAucG5nIiwgMV0sIFsiMDAwMDAvaW1nMS5wbmci\
  LCAwXV19UEsBAhQDFAAAAAAAAAAhAIjlGjtTAAAAUwAAAA4AAAAAAAAAAAAAAIABAAAAADAwMDAwL2ltZzAucG5nUEsBAhQDFAAAAAAAAAAhAAjbBIVT\
  AAAAUwAAAA4AAAAAAAAAAAAAAIABfwAAADAwMDAwL2ltZzEucG5nUEsBAhQDFAAAAAAAAAAhAMe4ZEM6AAAAOgAAAAwAAAAAAAAAAAAAAIAB/gAAAGRh\
  dGFzZXQuanNvblBLBQYAAAAAAwADALIAAABiAQAAAAA=
  """

/// Created with gzip: two members.
private let gzipOfText = """
  H4sIAAAAAAACA0tUKEmtKFEoyUgsUcgsVihKLUhNLElN0VFIxC5hjUtiVMeojlEdg1YHAO86ddHoAwAAH4sIAAAAAAACAwEAAf/+AAECAwQFBg\
  cICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZ\
  WltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKDhIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6\
  ytrq+wsbKztLW2t7i5uru8vb6/wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v8PHy8/T19vf4+fr7/P3+\
  /3OMBSkAAQAA
  """
