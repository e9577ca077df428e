import Tensors

/// Images in memory as bytes, with or without labels.
package struct StoredImages: ImageDataset {
  package let name: String
  package let count: Int
  package let imageShape: [Int]
  package let classNames: [String]
  package let allowsFlips: Bool
  package let fingerprint: UInt64
  package let remarks: [String]
  private let labels: [Int32]
  /// [N, H, W, C].
  private let bytes: [UInt8]

  /// - Parameters:
  ///   - imageShape: [H, W, C].
  ///   - bytes: the values of all images, [N, H, W, C].
  ///   - labels: one per image, indices in `classNames`; empty if there are no classes.
  init(
    name: String, imageShape: [Int], bytes: [UInt8], labels: [some FixedWidthInteger & BitwiseCopyable],
    classNames: [String], allowsFlips: Bool, remarks: [String] = []
  ) {
    let count = bytes.count / imageShape.reduce(1, *)
    precondition(bytes.count == count * imageShape.reduce(1, *) && (labels.isEmpty || labels.count == count))
    self.name = name
    self.count = count
    self.imageShape = imageShape
    self.bytes = bytes
    self.labels = labels.map { Int32($0) }
    self.classNames = classNames
    self.allowsFlips = allowsFlips
    self.remarks = remarks
    var fingerprint = Fingerprint([count] + imageShape)
    fingerprint.add(labels)
    fingerprint.add(bytes)
    self.fingerprint = fingerprint.value
  }

  package func label(of index: Int) -> Int? { labels.isEmpty ? nil : Int(labels[index]) }

  package func copyBytes(of index: Int, into target: ByteTensor) {
    precondition((0..<count).contains(index), "there is no image \(index) among \(count)")
    let size = elementsPerImage
    target.copy(bytes[index * size..<(index + 1) * size])
  }
}

/// - Throws: `DatasetError` (`wrongLabel`) naming the first label that is not one of `classes`.
func checkLabels(
  _ labels: [some BinaryInteger], _ classes: Range<Int>, file: String, advice: String = DatasetError.fetchAgain
) throws(DatasetError) {
  for (index, label) in labels.enumerated() where !classes.contains(Int(label)) {
    throw DatasetError(
      .wrongLabel, file,
      "label \(index) is \(label), but classes are \(classes.lowerBound) to \(classes.upperBound - 1)", advice: advice)
  }
}
