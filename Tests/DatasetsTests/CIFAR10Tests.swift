import Datasets
import TestSupport
import Testing

@Suite struct CIFAR10Tests {
  /// Two records per file; red is the pixel's index, green its complement, blue the index of the record.
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
    for image in 0..<10 {
      let bytes = try dataset.bytes(of: image).elements
      for pixel in 0..<1024 {
        let red = UInt8(pixel % 256)
        #expect(Array(bytes[pixel * 3..<pixel * 3 + 3]) == [red, 255 - red, UInt8(image)])
      }
    }
  }

  @Test func flippingKeepsColoursTogether() throws {
    let folder = try folder()
    let dataset = try CIFAR10.load(folder: folder.path, imagesPerFile: 2)
    let image = try floats(3, of: dataset)
    let mirrored = try floats(3, of: dataset, flipped: true)
    #expect(Array(mirrored[0..<3]) == Array(image[31 * 3..<32 * 3]))
    #expect(image[0..<3] == [-1, 1, 3 / 127.5 - 1])
  }

  @Test func missingFileIsNamed() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: DatasetError.self) { try CIFAR10.load(folder: folder.path) }
    #expect(error?.kind == .missing && error?.location.hasSuffix("data_batch_1.bin") == true)
  }

  @Test func filesOfTheWrongSizeAreRefused() throws {
    let short = try folder()
    try short.write(record(0), to: "data_batch_4.bin")
    let truncated = #expect(throws: DatasetError.self) { try CIFAR10.load(folder: short.path, imagesPerFile: 2) }
    #expect(truncated?.kind == .truncated && truncated?.location.hasSuffix("data_batch_4.bin") == true)
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

@Suite struct CIFAR100Tests {
  private func folder(names: Int = 100) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let planes = [1, 2, 3].flatMap { [UInt8](repeating: $0, count: 1024) }
    try folder.write([19, 99] + planes + [3, 42] + planes, to: "train.bin")
    try folder.write([0, 7] + planes, to: "test.bin")
    try folder.write(Array((0..<names).map { "name \($0)\n" }.joined().utf8), to: "fine_label_names.txt")
    return folder
  }

  @Test func cifar100UsesFineLabels() throws {
    let folder = try folder()
    let images = try CIFAR100.load(folder: folder.path, count: 2)
    #expect(images.count == 2 && images.imageShape == [32, 32, 3] && images.classNames[42] == "name 42")
    #expect([images.label(of: 0), images.label(of: 1)] == [99, 42])
    #expect(try bytes(of: 1, images).prefix(6) == [1, 2, 3, 1, 2, 3])
    let test = try CIFAR100.load(folder: folder.path, split: .test, count: 1)
    #expect(test.count == 1 && test.label(of: 0) == 7)
  }

  @Test func missingClassNamesAreAnError() throws {
    let few = try folder(names: 99)
    #expect(throws: DatasetError.self) { try CIFAR100.load(folder: few.path, count: 2) }
    let none = try folder()
    try none.remove("fine_label_names.txt")
    let error = #expect(throws: DatasetError.self) { try CIFAR100.load(folder: none.path, count: 2) }
    #expect(error?.kind == .missing && error?.location.hasSuffix("fine_label_names.txt") == true)
  }
}
