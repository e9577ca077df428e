import Datasets
import Glibc
import TestSupport
import Testing

/// Typical folders, with empty image files, since only their names are read.
@Suite struct FolderArrangementTests {
  private func folder(_ files: [String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for file in files {
      if let slash = file.lastIndex(of: "/") { try folder.createFolder(String(file[..<slash])) }
      if !file.hasSuffix("/") { try folder.write([], to: file) }
    }
    return folder
  }

  private func failure(_ files: [String]) throws -> DatasetError? {
    let folder = try folder(files)
    return #expect(throws: DatasetError.self) { try FolderArrangement(folder.path).images(.training) }
  }

  /// The files of a split, as class and name.
  private func contents(_ images: ImageFolder) -> [String] {
    images.files.map { file in
      let name = file.path.split(separator: "/").last ?? ""
      return (file.label.map { "\(images.classNames[$0])/" } ?? "") + name
    }
  }

  @Test(arguments: [
    ("train", "test"), ("train", "val"), ("Training", "Testing"), ("TRAIN", "Valid"), ("train2017", "val2017"),
    ("training_set", "test_set"), ("seg_train", "seg_test"), ("asl_alphabet_train", "asl_alphabet_test"),
    ("train_images", "test_images"), ("TrainSet", "TestSet"), ("trn", "dev"), ("images-training", "images-validation"),
  ])
  func splitsAreRecognisedByTheirNames(training: String, test: String) throws {
    let folder = try folder(["\(training)/cat/1.png", "\(training)/dog/2.png", "\(test)/dog/3.png"])
    let arrangement = try FolderArrangement(folder.path)
    #expect(arrangement.hasSplits && arrangement.hasTests)
    #expect(contents(try arrangement.images(.training)) == ["cat/1.png", "dog/2.png"])
    let images = try arrangement.images(.test)
    // The classes are those of the training images, even if one has no images here.
    #expect(contents(images) == ["dog/3.png"] && images.classNames == ["cat", "dog"])
    #expect(images.name == folder.path.split(separator: "/").last.map(String.init))
    #expect(
      Set(arrangement.remarks) == ["\(training): 2 images, for training", "\(test): 1 image, for tests"])
  }

  @Test func testSplitTakesPrecedenceOverValidation() throws {
    let folder = try folder(["train/1.png", "valid/2.png", "valid/3.png", "test/4.png"])
    let arrangement = try FolderArrangement(folder.path)
    #expect(contents(try arrangement.images(.training)) == ["1.png"])
    #expect(contents(try arrangement.images(.test)) == ["4.png"])
    #expect(
      arrangement.remarks == [
        "test: 1 image, for tests", "train: 1 image, for training",
        "valid: 2 images, left out (to use it instead of test: --test \(folder.path)/valid)",
      ])
  }

  @Test func testSplitWithClassesTakesPrecedence() throws {
    let three = try folder(["train/a/1.png", "train/b/2.png", "val/a/3.png", "test/4.png", "test/5.png"])
    let arrangement = try FolderArrangement(three.path)
    #expect(contents(try arrangement.images(.test)) == ["a/3.png"])
    let leftOut = "test: 2 images without classes, left out"
    #expect(
      arrangement.remarks == [leftOut, "train: 2 images, for training", "val: 1 image, for tests"])
    // Tiny ImageNet, whose classes are in lists.
    let inLists = try folder(["train/n1/images/1.png", "train/n2/images/2.png", "val/images/3.png"])
    let tiny = try FolderArrangement(inLists.path)
    #expect(!tiny.hasTests)
    #expect(tiny.remarks[1] == "val: 1 image in classes other than those of training images, left out")
    let unsorted = try folder(["train/a/1.png", "test/4.png", "test/5.png"])
    let two = try FolderArrangement(unsorted.path)
    withExtendedLifetime((three, inLists, unsorted)) {}
    #expect(!two.hasTests && two.remarks.contains(leftOut))
  }

  @Test func trainingSplitMayBeTheOnlyOne() throws {
    let folder = try folder(["train/a/1.png", "train/b/2.png", "labels/1.txt", "test/"])
    let arrangement = try FolderArrangement(folder.path)
    #expect(contents(try arrangement.images(.training)) == ["a/1.png", "b/2.png"])
    #expect(!arrangement.hasTests)
    #expect(throws: DatasetError.self) { try arrangement.images(.test) }
    #expect(
      arrangement.remarks == [
        "labels: no images, left out", "test: no images, left out", "train: 2 images, for training",
        "1 file that is not an image, left out",
      ])
  }

  @Test func ambiguousFoldersAreRefused() throws {
    // Including the class train of CIFAR-100, and valid beside invalid.
    for files in [
      ["train/a/1.png", "extra/a/1.png"], ["train/1.png", "Train/2.png"], ["train/1.png", "training/2.png"],
      ["train/1.png", "2.png"], ["apple/1.png", "train/2.png"], ["invalid/1.png", "valid/2.png"],
      ["cat/train/1.png", "cat/test/2.png", "dog/train/3.png"], ["train/train/1.png"], ["test/a/1.png", "val/a/1.png"],
      ["cats_train/1.png", "cats_test/1.png", "dogs_train/1.png", "dogs_test/1.png"],
      ["photos/cat/1.png", "photos/dog/2.png"], ["images/1.png", "masks/1.png"],
      ["archive/train/a/1.png", "archive/test/a/1.png"],
    ] {
      let error = try failure(files)
      #expect([.wrongLayout, .missing].contains(error?.kind), "\(files)")
    }
    #expect(try failure(["train/a/1.png", "extra/a/1.png"])?.location.hasSuffix("/extra") == true)
    #expect(try failure(["apple/1.png", "train/2.png"])?.advice.contains("--no-splits") == true)
    #expect(try failure(["archive/train/1.png", "archive/test/1.png"])?.advice.contains("use it by itself") == true)
    #expect(try failure(["photos/cat/1.png", "photos/dog/1.png"])?.location.hasSuffix("/photos") == true)
  }

  @Test func namesThatOnlyContainSuchWordsAreClasses() throws {
    for names in [
      ["bullet_train", "freight_train"], ["train_station", "test_tube", "valley"], ["trainer", "attest"],
    ] {
      let folder = try folder(names.map { "\($0)/1.png" })
      let images = try FolderArrangement(folder.path).images(.training)
      #expect(images.classNames == names.sorted())
      withExtendedLifetime(folder) {}
    }
  }

  @Test func everySubfolderCanBeAClass() throws {
    let folder = try folder(["apple/1.png", "train/2.png", "test/3.png"])
    let arrangement = try FolderArrangement(folder.path, subfoldersAreClasses: true)
    #expect(contents(try arrangement.images(.training)) == ["apple/1.png", "test/3.png", "train/2.png"])
    #expect(!arrangement.hasSplits)
  }

  @Test func testImagesMustHaveTheTrainingImagesClasses() throws {
    let folder = try folder(["train/a/1.png", "test/a/2.png", "test/b/2.png"])
    let error = #expect(throws: DatasetError.self) { try FolderArrangement(folder.path).images(.test) }
    #expect(error?.kind == .wrongLabel && error?.location.hasSuffix("test/b") == true)
  }

  @Test func jpegFilesHaveManyNames() throws {
    let folder = try folder(["a.jfif", "b.jpe", "c.JPG", "d.jpeg", "e.jif", "f.PnG", "g.apng", "h.txt", "i", ".j.png"])
    let arrangement = try FolderArrangement(folder.path)
    #expect(
      contents(try arrangement.images(.training)) == [
        "a.jfif", "b.jpe", "c.JPG", "d.jpeg", "e.jif", "f.PnG", "g.apng",
      ])
    #expect(arrangement.remarks == ["2 files that are not images, left out"])
  }

  @Test func systemFoldersAreLeftOutAndReported() throws {
    let folder = try folder([
      "a/1.png", "a/@eaDir/1.png", "b/2.png", "__MACOSX/a/._1.png", "__MACOSX/b/x.png", "lost+found/",
      ".ipynb_checkpoints/1.png",
    ])
    let arrangement = try FolderArrangement(folder.path)
    #expect(contents(try arrangement.images(.training)) == ["a/1.png", "b/2.png"])
    #expect(
      arrangement.remarks == [
        "__MACOSX: a system folder, left out", "lost+found: a system folder, left out",
        "a/@eaDir: a system folder, left out",
      ])
  }

  @Test func entriesThatCannotBeImagesAreReported() throws {
    let folder = try folder(["a/1.png", "a/2.webp", "b/3.png"])
    #expect(mkfifo("\(folder.path)/a/pipe.png", 0o600) == 0)
    #expect(symlink("/nowhere", "\(folder.path)/a/broken.jpg") == 0)
    #expect(symlink("..", "\(folder.path)/b/loop") == 0)
    let name: [CChar] = Array("\(folder.path)/b/".utf8CString.dropLast()) + [-1, 0x2e, 0x70, 0x6e, 0x67, 0]
    let descriptor = open(name, O_CREAT | O_WRONLY, 0o600)
    #expect(descriptor >= 0 && close(descriptor) == 0)
    let images = try FolderArrangement(folder.path).images(.training)
    #expect(contents(images) == ["a/1.png", "b/3.png"])
    #expect(
      images.problems.map { "\($0.location.dropFirst(folder.path.count + 1)): \($0.problem)" } == [
        "a/2.webp: this image format is not supported",
        "a/broken.jpg: cannot be opened: No such file or directory",
        "a/pipe.png: is neither a file nor a folder",
        "b/loop: is a link to a folder that contains it",
        "b/\u{fffd}.png: its name is not UTF-8",
      ])
    for problem in images.problems { #expect(problem.advice.contains("--skip-damaged")) }
    // Training rejects folders with such entries.
    #expect(throws: images.problems[0]) { try FolderImages(images) }
    withExtendedLifetime(folder) {}
  }

  @Test(arguments: [
    (["data/train-00000-of-00001.parquet", "README.md"], "Parquet"), (["train/data-00000-of-00001.arrow"], "Arrow"),
    (["00000.tar", "00001.tar"], "tar archive"), (["data.mdb", "lock.mdb"], "LMDB"),
    (["x.tfrecord-00000-of-00010"], "TFRecord"), (["batches.meta", "data_batch_1"], "cifar-10-binary.tar.gz"),
    (["cifar-100-python/train", "cifar-100-python/test"], "cifar-100-binary.tar.gz"), (["train_32x32.mat"], "MATLAB"),
  ])
  func foreignFormatsAreRefusedByName(files: [String], text: String) throws {
    let error = try failure(files)
    #expect(error?.kind == .wrongLayout && error?.description.contains(text) == true, "\(error.debugDescription)")
    #expect(error?.advice.contains("unpack") == true || error?.advice.contains(".npz") == true)
    #expect(error?.advice.contains("pack") != true || error?.advice.contains("has written") != true)
  }

  // MARK: dataset.json

  private func labelled(_ json: String, _ files: [String]) throws -> TemporaryFolder {
    let folder = try folder(files)
    try folder.write(Array(json.utf8), to: "dataset.json")
    return folder
  }

  @Test func classesMayBeInAFile() throws {
    let folder = try labelled(
      "{\"labels\": [[\"00001/img2.png\", 0], [\"00000/img1.png\", 3], [\"00000/img0.png\", 1.0]]}",
      ["00000/img0.png", "00000/img1.png", "00001/img2.png"])
    let arrangement = try FolderArrangement(folder.path)
    let images = try arrangement.images(.training)
    #expect(images.classNames == ["0", "1", "2", "3"])
    #expect(contents(images) == ["1/img0.png", "3/img1.png", "0/img2.png"])
    #expect(!arrangement.hasTests && arrangement.remarks == ["dataset.json: labels"])
    let without = try labelled("{\"labels\": null}", ["00000/img0.png", "00001/img2.png"])
    let plain = try FolderArrangement(without.path).images(.training)
    #expect(plain.classNames.isEmpty && contents(plain) == ["img0.png", "img2.png"])
    let other = try labelled("{\"title\": 1}", ["a/0.png", "b/2.png"])
    #expect(try FolderArrangement(other.path).images(.training).classNames == ["a", "b"])
  }

  @Test(arguments: [
    "{\"labels\": 3}", "{\"labels\": []}", "{\"labels\": [[\"0.png\"]]}", "{\"labels\": [[\"0.png\", -1]]}",
    "{\"labels\": [[\"0.png\", 65536]]}", "{\"labels\": [[\"0.png\", 0.5]]}", "{\"labels\": [[\"0.png\", [0, 1]]]}",
    "{\"labels\": [[\"0.png\", 1e300]]}", "{\"labels\": [[\"0.png\", 1], [\"0.png\", 1]]}",
    "{\"labels\": [[\"1.png\", 1]]}",
  ])
  func invalidLabelsAreRefused(json: String) throws {
    let folder = try labelled(json, ["0.png"])
    let error = #expect(throws: DatasetError.self) { try FolderArrangement(folder.path).images(.training) }
    #expect(error?.description.contains("dataset.json") == true)
  }
}
