import Datasets
import TestSupport
import Testing

/// Data sets related to MNIST, in folders as created by torchvision and by unpacking their archives.
@Suite struct IDXSetTests {
  /// Two images, each value of which encodes its position: 7 times the row, plus the column.
  private let images: [UInt8] = {
    let values: [UInt8] = (0..<2 * 784).map { index in
      let (row, column) = (index % 784 / 28, index % 28)
      return UInt8(7 * row + column)
    }
    return idx([2, 28, 28], values)
  }()

  private func labels(_ labels: [UInt8]) -> [UInt8] { idx([labels.count], labels) }

  /// Files of training and test images, with the same labels.
  private func write(
    _ stems: [String], _ labelBytes: [UInt8], labels: String = "labels-idx1-ubyte", to folder: TemporaryFolder
  ) throws {
    for stem in stems {
      if let slash = stem.lastIndex(of: "/") { try folder.createFolder(String(stem[..<slash])) }
      try folder.write(images, to: "\(stem)-images-idx3-ubyte")
      try folder.write(labelBytes, to: "\(stem)-\(labels)")
    }
  }

  private func labels(of images: StoredImages) -> [String] {
    (0..<images.count).map { images.classNames[images.label(of: $0) ?? 0] }
  }

  @Test(arguments: [
    ("FashionMNIST", "fashion-mnist", "ankle boot"), ("MNIST", "mnist", "9"), ("KMNIST", "kmnist", "wo"),
    ("fashion_mnist_data", "fashion-mnist", "ankle boot"), ("kuzushiji", "kmnist", "wo"), ("digits", "digits", "9"),
  ])
  func folderNameDeterminesTheDataSet(folderName: String, name: String, last: String) throws {
    let folder = try TemporaryFolder()
    try write(["\(folderName)/raw/train", "\(folderName)/raw/t10k"], labels([9, 0]), to: folder)
    for path in ["\(folder.path)/\(folderName)", "\(folder.path)/\(folderName)/raw"] {
      let sets = IDXSet.sets(in: path)
      #expect(sets.map(\.name) == [name] && sets[0].has(.test))
      let images = try sets[0].load(.training)
      #expect(images.name == name && labels(of: images)[0] == last)
      #expect(try sets[0].load(.test).count == 2)
    }
    #expect(IDXSet.sets(in: "\(folder.path)/other/\(folderName)").isEmpty)
  }

  @Test func torchvisionRootFolderIsSearched() throws {
    let folder = try TemporaryFolder()
    try write(["FashionMNIST/raw/train"], labels([9, 0]), to: folder)
    #expect(IDXSet.sets(in: folder.path).map(\.name) == ["fashion-mnist"])
    try write(["MNIST/raw/train"], labels([9, 0]), to: folder)
    #expect(IDXSet.sets(in: folder.path).map(\.name) == ["fashion-mnist", "mnist"])
    #expect(try FashionMNIST.load(folder: "\(folder.path)/FashionMNIST").count == 2)
  }

  @Test func emnistHasItsOwnLabelsAndOrientation() throws {
    let folder = try TemporaryFolder()
    let last: [(String, UInt8, String)] = [
      ("balanced", 46, "t"), ("byclass", 61, "z"), ("bymerge", 36, "a"), ("digits", 9, "9"), ("letters", 26, "z"),
      ("mnist", 9, "9"),
    ]
    for (name, label, _) in last {
      let stems = ["train", "test"].map { "raw/emnist-\(name)-\($0)" }
      try write(stems, labels([label, 10].map { min($0, label) }), to: folder)
    }
    let sets = IDXSet.sets(in: folder.path)
    #expect(sets.map(\.name) == last.map { "emnist-\($0.0)" })
    for (set, (_, _, name)) in zip(sets, last) {
      let images = try set.load(.training)
      #expect(labels(of: images)[0] == name)
      #expect(set.has(.test))
      // From row 3 and column 5 of the file.
      #expect(try bytes(of: 1, images)[(2 + 5) * 32 + 2 + 3] == 3 * 7 + 5)
      #expect(IDXSet.sets(in: set.path).map(\.name) == [set.name])
    }
    #expect(labels(of: try sets[4].load(.training))[1] == "j")
    #expect(labels(of: try sets[0].load(.training))[1] == "A")
    // There is no letter 0.
    try folder.write(labels([0, 1]), to: "raw/emnist-letters-train-labels-idx1-ubyte")
    let error = #expect(throws: DatasetError.self) { try sets[4].load(.training) }
    #expect(error?.kind == .wrongLabel && error?.problem.contains("classes are 1 to 26") == true)
  }

  @Test func qmnistClassesAreTheFirstOfSeveralColumns() throws {
    let folder = try TemporaryFolder()
    let rows: [UInt8] = [7, 3].flatMap { [0, 0, 0, $0] + [UInt8](repeating: 200, count: 28) }
    try write(["qmnist-train", "qmnist-test"], idx([2, 8], rows, type: 12), labels: "labels-idx2-int", to: folder)
    let sets = IDXSet.sets(in: folder.path)
    #expect(sets.map(\.name) == ["qmnist"] && sets[0].has(.test))
    #expect(labels(of: try sets[0].load(.training)) == ["7", "3"])
    try folder.write(idx([2, 8], rows.dropLast(), type: 12), to: "qmnist-train-labels-idx2-int")
    #expect(throws: DatasetError.self) { try sets[0].load(.training) }
    try folder.write(idx([2, 0], [], type: 12), to: "qmnist-train-labels-idx2-int")
    #expect(throws: DatasetError.self) { try sets[0].load(.training) }
  }

  @Test func fileNamesMayContainADot() throws {
    let folder = try TemporaryFolder()
    try folder.write(images, to: "train-images.idx3-ubyte")
    try folder.write(labels([1, 2]), to: "train-labels.idx1-ubyte")
    // As left by an unpacker.
    try folder.createFolder("train-images-idx3-ubyte")
    #expect(try IDXSet.sets(in: folder.path).first?.load(.training).count == 2)
    #expect(try MNIST.load(folder: folder.path).count == 2)
  }
}
