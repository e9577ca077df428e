import Datasets
import Testing

@Suite struct CIFAR10Tests {
  /// Two records a file; red is the pixel's place, green its complement, blue the number of the record.
  private func record(_ number: Int) -> [UInt8] {
    let red = (0..<1024).map { UInt8($0 % 256) }
    return [UInt8(number % 10)] + red + red.map { 255 - $0 } + [UInt8](repeating: UInt8(number), count: 1024)
  }

  private func folder(inside nested: String = "") throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    if !nested.isEmpty { try folder.createFolder(nested) }
    for file in 1...5 {
      try folder.write(record(2 * file - 2) + record(2 * file - 1), to: "\(nested)/data_batch_\(file).bin")
    }
    return folder
  }

  @Test(arguments: ["", "cifar-10-batches-bin"])
  func planesBecomeInterleavedColours(nested: String) throws {
    let folder = try folder(inside: nested)
    let dataset = try CIFAR10.load(folder: folder.path, imagesPerFile: 2)
    #expect(dataset.count == 10 && dataset.imageShape == [32, 32, 3] && dataset.allowsFlips)
    #expect((0..<10).map { dataset.label(of: $0) } == Array(0..<10))
    var bytes = [UInt8](repeating: 0, count: 3072)
    for image in 0..<10 {
      dataset.copyBytes(of: image, into: &bytes)
      for pixel in 0..<1024 {
        let red = UInt8(pixel % 256)
        #expect(Array(bytes[pixel * 3..<pixel * 3 + 3]) == [red, 255 - red, UInt8(image)])
      }
    }
  }

  @Test func flippingKeepsColoursTogether() throws {
    let folder = try folder()
    let dataset = try CIFAR10.load(folder: folder.path, imagesPerFile: 2)
    var image = [Float](repeating: 0, count: 3072)
    var mirrored = image
    dataset.copyImage(3, into: &image, flipped: false)
    dataset.copyImage(3, into: &mirrored, flipped: true)
    #expect(Array(mirrored[0..<3]) == Array(image[31 * 3..<32 * 3]))
    #expect(image[0..<3] == [-1, 1, 3 / 127.5 - 1])
  }

  @Test func missingFileIsNamed() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: DatasetError.self) { try CIFAR10.load(folder: folder.path) }
    #expect(error?.kind == .missing && error?.place.hasSuffix("data_batch_1.bin") == true)
  }

  @Test func filesOfTheWrongSizeAreRefused() throws {
    let short = try folder()
    try short.write(record(0), to: "data_batch_4.bin")
    let truncated = #expect(throws: DatasetError.self) { try CIFAR10.load(folder: short.path, imagesPerFile: 2) }
    #expect(truncated?.kind == .truncated && truncated?.place.hasSuffix("data_batch_4.bin") == true)
    let long = try folder()
    try long.write(record(0) + record(1) + [0], to: "data_batch_2.bin")
    let trailing = #expect(throws: DatasetError.self) { try CIFAR10.load(folder: long.path, imagesPerFile: 2) }
    #expect(trailing?.kind == .trailingBytes)
  }

  @Test func wrongLabelIsRefused() throws {
    let folder = try folder()
    try folder.write(record(0) + [10] + record(1).dropFirst(), to: "data_batch_5.bin")
    let error = #expect(throws: DatasetError.self) { try CIFAR10.load(folder: folder.path, imagesPerFile: 2) }
    #expect(error?.kind == .wrongLabel)
  }
}
