import Datasets
import TestSupport
import Testing

@Suite struct MNISTTests {
  private let images = "train-images-idx3-ubyte"
  private let labels = "train-labels-idx1-ubyte"
  /// Three images, every value distinct from its neighbours'.
  private let values = (0..<3 * 28 * 28).map { UInt8($0 % 251) }

  private func folder(images imageBytes: [UInt8]? = nil, labels labelBytes: [UInt8]? = nil) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(imageBytes ?? idx([3, 28, 28], values), to: images)
    try folder.write(labelBytes ?? idx([3], [7, 0, 9]), to: labels)
    return folder
  }

  private func failure(of folder: TemporaryFolder) -> DatasetError? {
    #expect(throws: DatasetError.self) { try FashionMNIST.load(folder: folder.path) }
  }

  @Test func imagesArePaddedAndScaled() throws {
    let folder = try folder()
    let dataset = try FashionMNIST.load(folder: folder.path)
    #expect(dataset.count == 3 && dataset.imageShape == [32, 32, 1])
    #expect((0..<3).map { dataset.label(of: $0) } == [7, 0, 9])
    #expect(dataset.classNames[9] == "ankle boot")
    let image = try floats(2, of: dataset)
    for row in 0..<32 {
      for column in 0..<32 {
        let isInside = (2..<30).contains(row) && (2..<30).contains(column)
        let value = isInside ? values[2 * 784 + (row - 2) * 28 + column - 2] : 0
        #expect(image[row * 32 + column] == Float(value) / 127.5 - 1)
      }
    }
  }

  @Test func flippedImagesAreMirrored() throws {
    let folder = try folder()
    let dataset = try MNIST.load(folder: folder.path)
    let image = try floats(1, of: dataset)
    let mirrored = try floats(1, of: dataset, flipped: true)
    for row in 0..<32 {
      #expect(Array(mirrored[row * 32..<row * 32 + 32]) == image[row * 32..<row * 32 + 32].reversed())
    }
    #expect(image != mirrored)
  }

  @Test func fingerprintDependsOnContentsAndLabels() throws {
    var otherValues = values
    otherValues[values.count - 1] ^= 0x80
    let folders = try [
      folder(), folder(), folder(images: idx([3, 28, 28], otherValues)), folder(labels: idx([3], [7, 0, 8])),
    ]
    let prints = try folders.map { try MNIST.load(folder: $0.path).fingerprint }
    #expect(prints[0] == prints[1])
    #expect(Set(prints).count == 3)
  }

  @Test func missingFolderNamesTheFileAndTheRemedies() {
    let error = #expect(throws: DatasetError.self) { try FashionMNIST.load(folder: "/nowhere") }
    #expect(error?.kind == .missing)
    #expect(error?.location == "/nowhere/train-images-idx3-ubyte")
    for remedy in ["apt-get install dataset-fashion-mnist", "--set data.path=", "--set data.name=shapes"] {
      #expect(error?.description.contains(remedy) == true)
    }
  }

  @Test func missingLabelsAreNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write(idx([3, 28, 28], values), to: images)
    let error = failure(of: folder)
    #expect(error?.kind == .missing && error?.location == "\(folder.path)/\(labels)")
  }

  @Test func truncatedImagesAreRefused() throws {
    let error = failure(of: try folder(images: idx([3, 28, 28], values).dropLast(1)))
    #expect(error?.kind == .truncated)
    #expect(error?.problem.contains("2351") == true)
  }

  @Test func truncatedHeaderIsRefused() throws {
    #expect(failure(of: try folder(images: [0, 0, 8, 3, 0, 0]))?.kind == .truncated)
    #expect(failure(of: try folder(labels: []))?.kind == .truncated)
  }

  @Test func absurdDimensionsAreRefused() throws {
    let huge = idx([0xffff_ffff, 0xffff_ffff, 0xffff_ffff], values)
    #expect(failure(of: try folder(images: huge))?.kind == .truncated)
  }

  @Test func trailingBytesAreRefused() throws {
    #expect(failure(of: try folder(images: idx([3, 28, 28], values) + [0]))?.kind == .trailingBytes)
    #expect(failure(of: try folder(labels: idx([3], [7, 0, 9, 1])))?.kind == .trailingBytes)
  }

  @Test func wrongMagicIsRefused() throws {
    #expect(failure(of: try folder(images: idx([3, 28, 28], values, type: 13)))?.kind == .wrongMagic)
    // Labels instead of images.
    let swapped = failure(of: try folder(images: idx([12], [UInt8](repeating: 0, count: 12))))
    #expect(swapped?.kind == .wrongMagic)
    #expect(swapped?.problem.contains("[0, 0, 8, 3]") == true && swapped?.problem.contains("[0, 0, 8, 1]") == true)
  }

  @Test func wrongDimensionsAreRefused() throws {
    let error = failure(of: try folder(images: idx([3, 14, 56], values)))
    #expect(error?.kind == .wrongDimensions)
    #expect(error?.problem.contains("28x28") == true && error?.problem.contains("14x56") == true)
    #expect(failure(of: try folder(images: idx([0, 28, 28], []), labels: idx([0], [])))?.kind == .wrongDimensions)
  }

  @Test func labelsMustMatchImages() throws {
    #expect(failure(of: try folder(labels: idx([2], [7, 0])))?.kind == .countMismatch)
    let error = failure(of: try folder(labels: idx([3], [7, 10, 0])))
    #expect(error?.kind == .wrongLabel && error?.problem.contains("label 1 is 10") == true)
  }

  @Test func folderInsteadOfAFileIsRefused() throws {
    let folder = try TemporaryFolder()
    try folder.createFolder(images)
    try folder.write(idx([3], [7, 0, 9]), to: labels)
    #expect(failure(of: folder)?.kind == .unreadable)
  }
}
