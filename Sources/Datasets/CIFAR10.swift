/// CIFAR-10 in its binary form (Krizhevsky: "Learning multiple layers of features from tiny images", 2009): 32x32
/// colour, five files of 10 000 records; a record is a label, then 1024 red, 1024 green and 1024 blue values.
package enum CIFAR10 {
  private static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// - Parameters:
  ///   - folder: the folder of `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin`, or the folder that
  ///     contains `cifar-10-batches-bin`.
  ///   - split: the images to load.
  ///   - imagesPerFile: the number of records that each file must have.
  /// - Throws: `DatasetError`.
  package static func load(
    folder: String, split: DatasetSplit = .training, imagesPerFile: Int = 10_000
  ) throws -> StoredImages {
    let files = split == .test ? ["test_batch.bin"] : (1...5).map { "data_batch_\($0).bin" }
    return try CIFARRecords(archive: "cifar-10-binary.tar.gz", labelBytes: 1, classNames: classNames).load(
      "cifar10", files.map { "\(folderOfFiles(folder, "cifar-10-batches-bin"))/\($0)" }, imagesPerFile: imagesPerFile)
  }
}

/// CIFAR-100 in its binary form (the same report): like CIFAR-10, but with one file of 50 000 records and one of 10
/// 000. The label is the fine one of 100 classes, preceded by the coarse one of 20.
package enum CIFAR100 {
  /// - Parameters:
  ///   - folder: the folder of `train.bin`, `test.bin` and `fine_label_names.txt`, or the folder that contains
  ///     `cifar-100-binary`.
  ///   - split: the images to load.
  ///   - count: the number of records that the file must have; by default 50 000, for tests 10 000.
  /// - Throws: `DatasetError`.
  package static func load(folder: String, split: DatasetSplit = .training, count: Int? = nil) throws -> StoredImages {
    let folder = folderOfFiles(folder, "cifar-100-binary")
    let advice = "unpack cifar-100-binary.tar.gz and give its folder"
    let names = "\(folder)/fine_label_names.txt"
    guard fileExists(names) else { throw DatasetError(.missing, names, "does not exist", advice: advice) }
    let classNames = String(decoding: try readFile(names), as: UTF8.self).split(whereSeparator: \.isNewline)
    guard classNames.count == 100 else {
      throw DatasetError(.countMismatch, names, "has \(classNames.count) names of 100 classes")
    }
    return try CIFARRecords(
      archive: "cifar-100-binary.tar.gz", labelBytes: 2, classNames: classNames.map(String.init)
    ).load(
      "cifar100", ["\(folder)/\(split == .test ? "test" : "train").bin"],
      imagesPerFile: count ?? (split == .test ? 10_000 : 50_000))
  }
}

/// The folder itself, or the subfolder that the archive creates.
private func folderOfFiles(_ folder: String, _ name: String) -> String {
  let nested = "\(folder)/\(name)"
  return fileExists(nested) ? nested : folder
}

/// Records of labels and three planes of 32x32 values.
private struct CIFARRecords {
  private static let side = 32
  private static let channels = 3
  /// The name of the archive with the files.
  let archive: String
  /// The number of bytes before the planes, the last of which is the label.
  let labelBytes: Int
  let classNames: [String]

  func load(_ name: String, _ files: [String], imagesPerFile: Int) throws -> StoredImages {
    var bytes: [UInt8] = []
    var labels: [UInt8] = []
    bytes.reserveCapacity(files.count * imagesPerFile * Self.side * Self.side * Self.channels)
    for file in files { try append(file: file, imagesPerFile: imagesPerFile, to: &bytes, &labels) }
    return StoredImages(
      name: name, imageShape: [Self.side, Self.side, Self.channels], bytes: bytes, labels: labels,
      classNames: classNames, allowsFlips: true)
  }

  private func append(
    file: String, imagesPerFile: Int, to bytes: inout [UInt8], _ labels: inout [UInt8]
  ) throws {
    guard fileExists(file) else {
      throw DatasetError(
        .missing, file, "does not exist",
        advice: "unpack \(archive) and give its folder with `--set data.path=…`, or use "
          + "`--set data.name=shapes`, which needs no files")
    }
    let records = try readFile(file)
    let (plane, channels) = (Self.side * Self.side, Self.channels)
    let recordSize = labelBytes + channels * plane
    let expected = imagesPerFile * recordSize
    guard records.count == expected else {
      throw DatasetError(
        records.count < expected ? .truncated : .trailingBytes, file,
        "\(imagesPerFile) records of \(recordSize) bytes take \(expected) bytes, but the file has \(records.count)")
    }
    let newLabels = stride(from: 0, to: expected, by: recordSize).map { records[$0 + labelBytes - 1] }
    try checkLabels(newLabels, 0..<classNames.count, file: file)
    labels += newLabels
    bytes += [UInt8](unsafeUninitializedCapacity: imagesPerFile * channels * plane) { interleaved, initialised in
      for record in 0..<imagesPerFile {
        let planes = record * recordSize + labelBytes
        let image = record * channels * plane
        for pixel in 0..<plane {
          for channel in 0..<channels {
            interleaved[image + pixel * channels + channel] = records[planes + channel * plane + pixel]
          }
        }
      }
      initialised = imagesPerFile * channels * plane
    }
  }
}
