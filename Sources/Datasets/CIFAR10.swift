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
