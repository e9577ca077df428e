import Files

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
