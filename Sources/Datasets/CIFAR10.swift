/// CIFAR-10 in its binary form (Krizhevsky: "Learning multiple layers of features from tiny images", 2009): 32x32
/// colour, five files of 10 000 records; a record is a label, then 1024 red, 1024 green and 1024 blue values.
public enum CIFAR10 {
  private static let side = 32
  private static let channels = 3
  private static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// - Parameters:
  ///   - folder: where `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin` lie, or the folder above,
  ///     `cifar-10-batches-bin`.
  ///   - split: which images.
  ///   - imagesPerFile: how many records each file must have.
  /// - Throws: `DatasetError`.
  public static func load(
    folder: String, split: DatasetSplit = .training, imagesPerFile: Int = 10_000
  ) throws -> StoredImages {
    let nested = "\(folder)/cifar-10-batches-bin"
    let folder = fileExists(nested) ? nested : folder
    var bytes: [UInt8] = []
    var labels: [UInt8] = []
    let files = split == .test ? ["test_batch"] : (1...5).map { "data_batch_\($0)" }
    bytes.reserveCapacity(files.count * imagesPerFile * side * side * channels)
    for file in files {
      try append(file: "\(folder)/\(file).bin", imagesPerFile: imagesPerFile, to: &bytes, &labels)
    }
    return StoredImages(
      name: "cifar10", height: side, width: side, channels: channels, bytes: bytes, labels: labels,
      classNames: classNames, allowsFlips: true)
  }

  private static func append(
    file: String, imagesPerFile: Int, to bytes: inout [UInt8], _ labels: inout [UInt8]
  ) throws {
    guard fileExists(file) else {
      throw DatasetError(
        .missing, file, "is not there",
        advice: "unpack cifar-10-binary.tar.gz and name its folder with `--set data.path=…`, or take "
          + "`--set data.name=shapes`, which needs no files")
    }
    let records = try readFile(file)
    let plane = side * side
    let recordSize = 1 + channels * plane
    let expected = imagesPerFile * recordSize
    guard records.count == expected else {
      throw DatasetError(
        records.count < expected ? .truncated : .trailingBytes, file,
        "\(imagesPerFile) records of \(recordSize) bytes take \(expected) bytes, but the file has \(records.count)")
    }
    let newLabels = stride(from: 0, to: expected, by: recordSize).map { records[$0] }
    try checkLabels(newLabels, classCount: classNames.count, file: file)
    labels += newLabels
    bytes += [UInt8](unsafeUninitializedCapacity: imagesPerFile * channels * plane) { interleaved, initialised in
      for record in 0..<imagesPerFile {
        let planes = record * recordSize + 1
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
