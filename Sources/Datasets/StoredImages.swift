import Tensors

/// Images in memory as bytes, with a label each.
public struct StoredImages: ImageDataset {
  public let name: String
  public let imageShape: [Int]
  public let classNames: [String]
  public let allowsFlips: Bool
  public let fingerprint: UInt64
  private let labels: [UInt8]
  /// [N, H, W, C].
  private let bytes: [UInt8]

  public var count: Int { labels.count }

  /// - Parameters:
  ///   - imageShape: [H, W, C].
  ///   - bytes: the values of all images, [N, H, W, C].
  ///   - labels: one per image, indices in `classNames`.
  init(
    name: String, imageShape: [Int], bytes: [UInt8], labels: [UInt8], classNames: [String], allowsFlips: Bool
  ) {
    precondition(bytes.count == labels.count * imageShape.reduce(1, *))
    self.name = name
    self.imageShape = imageShape
    self.bytes = bytes
    self.labels = labels
    self.classNames = classNames
    self.allowsFlips = allowsFlips
    var fingerprint = Fingerprint([labels.count] + imageShape)
    fingerprint.add(labels)
    fingerprint.add(bytes)
    self.fingerprint = fingerprint.value
  }

  public func label(of index: Int) -> Int? { Int(labels[index]) }

  public func copyBytes(of index: Int, into target: ByteTensor) {
    precondition((0..<count).contains(index), "there is no image \(index) among \(count)")
    let size = elementsPerImage
    target.copy(bytes[index * size..<(index + 1) * size])
  }
}

/// - Throws: `DatasetError` (`wrongLabel`) naming the first invalid label.
func checkLabels(_ labels: some Collection<UInt8>, classCount: Int, file: String) throws {
  for (index, label) in labels.enumerated() where label >= classCount {
    throw DatasetError(.wrongLabel, file, "label \(index) is \(label), but classes are 0 to \(classCount - 1)")
  }
}
