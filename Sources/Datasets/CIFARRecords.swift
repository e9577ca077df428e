import Files

/// Records of labels and three planes of 32x32 values.
struct CIFARRecords {
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

/// The folder itself, or the subfolder that the archive creates.
func folderOfFiles(_ folder: String, _ name: String) -> String {
  let nested = "\(folder)/\(name)"
  return fileExists(nested) ? nested : folder
}
