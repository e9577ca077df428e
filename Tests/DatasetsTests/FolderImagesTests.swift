import Datasets
import Images
import Tensors
import TestSupport
import Testing

/// Tests that use libhdf5 or files of images, run one after another, since libhdf5 is not thread-safe.
@Suite(.serialized) struct DatasetFileTests {}

extension TemporaryFolder {
  /// A PNG file; grey, or with as many channels as there are values per pixel.
  func writePNG(_ pixels: [UInt8], width: Int, height: Int? = nil, channels: Int = 1, to name: String) throws {
    let height = height ?? pixels.count / width / channels
    try PNG.write(Image(width: width, height: height, channels: channels, pixels: pixels), to: "\(path)/\(name)")
  }
}

extension DatasetFileTests {
  @Suite struct FolderImagesTests {
    /// Two classes with two grey images of 3x2 each.
    private func folder(inside nested: String = "") throws -> TemporaryFolder {
      let folder = try TemporaryFolder()
      for (index, name) in ["dog/b", "dog/a", "cat/x", "cat/nested/y"].enumerated() {
        try folder.createFolder("\(nested)\(name.split(separator: "/").dropLast().joined(separator: "/"))")
        try folder.writePNG((0..<6).map { UInt8(10 * index + $0) }, width: 3, to: "\(nested)\(name).png")
      }
      return folder
    }

    private func open(_ folder: TemporaryFolder, split: DatasetSplit = .training) throws -> FolderImages {
      try FolderImages(FolderArrangement(folder.path).images(split))
    }

    private func failure(_ folder: TemporaryFolder, split: DatasetSplit = .training) -> DatasetError? {
      #expect(throws: DatasetError.self) { try open(folder, split: split) }
    }

    @Test func subfoldersAreClassesAndImagesAreSortedByName() throws {
      let folder = try folder()
      try folder.write([1], to: "cat/notes.txt")
      try folder.write([1], to: "README")
      try folder.write([1], to: ".hidden.png")
      try folder.createFolder(".git")
      let images = try open(folder)
      #expect(images.classNames == ["cat", "dog"] && images.imageShape == [2, 3, 1] && images.count == 4)
      #expect((0..<4).map { images.label(of: $0) } == [0, 0, 1, 1])
      #expect(!images.allowsFlips && images.readsFiles)
      // cat/x.png, cat/nested/y.png, dog/a.png, dog/b.png.
      #expect(try (0..<4).map { try bytes(of: $0, images)[0] } == [20, 30, 10, 0])
      withExtendedLifetime(folder) {}
    }

    @Test func aFolderWithoutSubfoldersHasNoClasses() throws {
      let folder = try TemporaryFolder()
      for name in ["é", "z", "Z", "10", "9"] { try folder.writePNG([5, 6], width: 2, to: "\(name).PNG") }
      let listed = try FolderArrangement(folder.path).images(.training)
      #expect(listed.classNames.isEmpty && listed.files.allSatisfy { $0.label == nil })
      #expect(
        listed.files.map { $0.path.split(separator: "/").last } == ["10.PNG", "9.PNG", "Z.PNG", "z.PNG", "é.PNG"])
    }

    @Test func imagesOfOtherSizesAndKindsAreCountedAndNamed() throws {
      let wide = try folder()
      try wide.writePNG([1, 2, 3, 4], width: 4, to: "dog/wide.png")
      var error = failure(wide)
      #expect(error?.kind == .wrongDimensions && error?.location == wide.path)
      #expect(
        error?.problem == "its images are not all alike: 4 of 3x2 pixels in grey (such as cat/x.png), "
          + "1 of 4x1 pixels in grey (such as dog/wide.png)")
      #expect(error?.advice.contains("ddpm-mpi pack \(wide.path) --size N") == true)
      let coloured = try folder()
      try coloured.writePNG([UInt8](repeating: 9, count: 18), width: 3, channels: 3, to: "cat/colour.png")
      error = failure(coloured)
      #expect(error?.problem.contains("1 of 3x2 pixels in colour (such as cat/colour.png)") == true)
      #expect(error?.advice.contains("--channels") == true && error?.advice.contains("data.channels") == true)
      // With many kinds, the rest is only counted.
      let many = try TemporaryFolder()
      for width in 1...9 { try many.writePNG([UInt8](repeating: 0, count: width), width: width, to: "\(width).png") }
      #expect(failure(many)?.problem.hasSuffix("(such as 4.png), 5 of 5 more kinds") == true)
    }

    @Test func unclearArrangementsAreRefused() throws {
      let mixed = try folder()
      try mixed.writePNG([1], width: 1, to: "lost.png")
      #expect(failure(mixed)?.problem.contains("beside subfolders") == true)
      let hollow = try folder()
      try hollow.createFolder("emu")
      #expect(failure(hollow)?.location.hasSuffix("/emu") == true)
      let other = try folder()
      try other.write([1], to: "cat/picture.WebP")
      #expect(failure(other)?.problem == "this image format is not supported")
      #expect(failure(try TemporaryFolder())?.kind == .missing)
      let error = #expect(throws: DatasetError.self) { try FolderArrangement("/nowhere") }
      #expect(error?.kind == .missing && error?.location == "/nowhere")
    }

    @Test func damagedFilesAreNamedAtTheStartOrWhenTheyAreRead() throws {
      let folder = try folder()
      try folder.write([1, 2, 3], to: "dog/a.png")
      #expect(failure(folder)?.kind == .damaged && failure(folder)?.location.hasSuffix("dog/a.png") == true)
      let later = try self.folder()
      let images = try open(later)
      try later.write([], to: "cat/x.png")
      try later.writePNG([1, 2], width: 2, to: "dog/b.png")
      try later.remove("dog/a.png")
      #expect(throws: DatasetError.self) { try bytes(of: 0, images) }
      #expect(try bytes(of: 1, images)[0] == 30)
      let missing = #expect(throws: DatasetError.self) { try bytes(of: 2, images) }
      #expect(missing?.description.contains("No such file") == true)
      let changed = #expect(throws: DatasetError.self) { try bytes(of: 3, images) }
      #expect(changed?.kind == .wrongDimensions)
      withExtendedLifetime(later) {}
    }

    @Test func fingerprintDependsOnNamesAndSizes() throws {
      let folders = try [folder(), folder(), folder(), folder()]
      try folders[2].writePNG([1, 2, 3, 4, 5, 6], width: 3, to: "dog/c.png")
      try folders[3].writePNG([UInt8](repeating: 0, count: 6), width: 3, to: "dog/b.png")
      let prints = try folders.map { try open($0).fingerprint }
      #expect(prints[0] == prints[1])
      #expect(Set(prints).count == 3)
    }

    @Test func fittingMakesAllImagesAlike() throws {
      let folder = try TemporaryFolder()
      try folder.writePNG([1, 3, 5, 7, 9, 11, 13, 15], width: 4, to: "a.png")
      try folder.writePNG([7, 8, 9, 20, 30, 40], width: 2, channels: 3, to: "b.png")
      try folder.writePNG([100, 50, 0, 0], width: 1, channels: 4, to: "c.png")
      let listed = try FolderArrangement(folder.path).images(.training)
      let images = try FolderImages(listed, fitting: .init(side: 1, background: .white, channels: 3))
      #expect(try (0..<3).map { try bytes(of: $0, images) } == [[8, 8, 8], [7, 8, 9], [255, 255, 255]])
      let grey = try FolderImages(listed, fitting: .init(side: 1, background: .black, channels: 1))
      // 0.299 · 7 + 0.587 · 8 + 0.114 · 9.
      #expect(try (0..<3).map { try bytes(of: $0, grey) } == [[8], [8], [0]])
      withExtendedLifetime(folder) {}
    }

    @Test func transparentPixelsAreFoundBeforeAnyImageIsUsed() throws {
      let folder = try TemporaryFolder()
      try folder.writePNG([9, 255, 7, 255], width: 2, channels: 2, to: "a.png")
      let opaque = try open(folder)
      #expect(opaque.channels == 1)
      #expect(try bytes(of: 0, opaque) == [9, 7])
      try folder.writePNG([9, 255, 7, 254], width: 2, channels: 2, to: "b.png")
      try folder.writePNG([9, 255, 7, 0], width: 2, channels: 2, to: "c.png")
      let error = failure(folder)
      #expect(error?.kind == .transparent && error?.isOfDamage == false && error?.location == folder.path)
      #expect(error?.problem == "of its 3 images 2 have transparent pixels, the first b.png")
      #expect(error?.advice.contains("--background black") == true && error?.advice.contains("data.background") == true)
      let prints = try [FolderImages.Background.black, .white].map { background in
        let images = try FolderImages(
          FolderArrangement(folder.path).images(.training), fitting: .init(background: background))
        #expect(try bytes(of: 2, images) == [9, background == .white ? 255 : 0])
        return images.fingerprint
      }
      #expect(prints[0] != prints[1])
      // An image that becomes transparent later is not damaged either.
      try folder.writePNG([9, 7], width: 2, to: "b.png")
      try folder.writePNG([9, 7], width: 2, to: "c.png")
      let images = try open(folder)
      try folder.writePNG([9, 255, 7, 0], width: 2, channels: 2, to: "c.png")
      let later = #expect(throws: DatasetError.self) { try bytes(of: 2, images) }
      #expect(later?.kind == .transparent && later?.location.hasSuffix("/c.png") == true)
      withExtendedLifetime(folder) {}
    }

    @Test func oversizedImagesAreNotReportedAsDamaged() throws {
      let folder = try TemporaryFolder()
      try folder.writePNG([UInt8](repeating: 0, count: 12), width: 4, to: "a.png")
      let error = #expect(throws: DatasetError.self) {
        try FolderImages(
          FolderArrangement(folder.path).images(.training), fitting: .init(reader: ImageReader(pixelLimit: 11)))
      }
      #expect(error?.kind == .tooLarge && error?.isOfDamage == false)
      #expect(
        error?.description.contains("4x3 pixels are more than the limit of 11; raise the limit with --pixel-limit")
          == true)
    }
  }

  @Suite struct DerivedImagesTests {
    @Test func joinedImagesFollowEachOtherWithCommonClasses() throws {
      let folders = try [TemporaryFolder(), TemporaryFolder()]
      for (folder, classes) in zip(folders, [["b", "c"], ["a", "c"]]) {
        for (index, name) in classes.enumerated() {
          try folder.createFolder(name)
          try folder.writePNG([UInt8(index)], width: 1, to: "\(name)/1.png")
        }
      }
      let parts = try folders.map { try FolderImages(FolderArrangement($0.path).images(.training)) }
      let joined = try #require(JoinedImages(parts))
      #expect(joined.classNames == ["a", "b", "c"] && joined.count == 4)
      #expect((0..<4).map { joined.label(of: $0) } == [1, 2, 0, 2])
      #expect(try (0..<4).map { try bytes(of: $0, joined) } == [[0], [1], [0], [1]])
      let all = ByteTensor(repeating: 9, shape: [3] + joined.imageShape)
      let damaged = try joined.copyBytes(of: 1..<4, into: all, workers: .callingThread)
      #expect(damaged.isEmpty && all.elements == [1, 0, 1])
      #expect(JoinedImages(parts, classNames: ["a", "b"]) == nil)
      #expect(JoinedImages([parts[0], parts[0]])?.classNames == ["b", "c"])
      withExtendedLifetime(folders) {}
    }

    @Test func distinctClassesWithTheSameNameStayDistinct() throws {
      #expect(ClassNames.union([["a", "b", "a"]]) == ["a", "b", "a"])
      #expect(ClassNames.union([["a", "b", "a"], ["c", "a"]]) == ["a", "a", "b", "c"])
      // The same letter in two spellings.
      let (composed, decomposed) = ("\u{e9}", "e\u{301}")
      #expect(ClassNames.union([[composed], [decomposed]]).map { $0.utf8.count } == [3, 2])
      let folder = try TemporaryFolder()
      for (index, name) in [composed, decomposed].enumerated() {
        try folder.createFolder(name)
        try folder.writePNG([UInt8(index)], width: 1, to: "\(name)/1.png")
      }
      let images = try FolderImages(FolderArrangement(folder.path).images(.training))
      // Sorted by the names' bytes: the decomposed one comes first.
      #expect((0..<2).map { images.label(of: $0) } == [0, 1])
      #expect(try (0..<2).map { try bytes(of: $0, images) } == [[1], [0]])
      #expect(JoinedImages([images, images]).map { joined in (0..<4).map { joined.label(of: $0) } } == [0, 1, 0, 1])
    }

    @Test func fittedImagesAreResizedCentralSquares() throws {
      let shapes = Shapes(count: 5, size: 16, channels: 1)
      let fitted = FittedImages(shapes, side: 4, channels: 3)
      #expect(fitted.imageShape == [4, 4, 3] && fitted.label(of: 3) == shapes.label(of: 3))
      let expected = Image(width: 16, height: 16, channels: 1, pixels: try bytes(of: 3, shapes)).square(side: 4)
        .inColour
      #expect(try bytes(of: 3, fitted) == expected.pixels)
      let all = ByteTensor(uninitialised: [2] + fitted.imageShape)
      _ = try fitted.copyBytes(of: 2..<4, into: all, workers: WorkerPool(threadCount: 2))
      #expect(all[image: 1].elements == expected.pixels)
      let coloured = Shapes(count: 5, size: 16, channels: 3)
      let original = Image(width: 16, height: 16, channels: 3, pixels: try bytes(of: 2, coloured))
      #expect(try bytes(of: 2, FittedImages(coloured, side: nil, channels: 1)) == original.inGrey.pixels)
    }
  }
}
