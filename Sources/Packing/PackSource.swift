import Datasets
import Failures
import Files

/// A source of images to pack, whose kind is detected.
struct PackSource {
  enum Kind {
    /// A data set from the catalogue; without a path, it is found by its name.
    case named(String, path: String?, hasTests: Bool)
    case idx(IDXSet)
    case hdf5
    case numpy(NumpySource)
    case folder(FolderArrangement)
  }

  enum Contents {
    /// Image files, whose sizes and colours have not been checked yet.
    case folder(ImageFolder)
    case images(any ImageDataset)
  }

  let path: String
  let kind: Kind

  /// - Parameter subfoldersAreClasses: whether subfolders are classes even if their names are those of splits.
  /// - Throws: `InputError` if it does not exist, `DatasetError` if its format is not supported.
  init(_ argument: String, subfoldersAreClasses: Bool = false) throws {
    path = withoutTrailingSlashes(argument)
    let isThere = fileExists(path)
    if !isThere, ["fashion-mnist", "shapes"].contains(argument) {
      kind = .named(path, path: nil, hasTests: true)
    } else if let set = try Self.idxSet(path) {
      kind = .idx(set)
    } else if !isThere {
      throw InputError("\(argument): there is no such file or folder to pack")
    } else if isFolder(path) {
      kind = try Self.kind(ofFolder: path, subfoldersAreClasses: subfoldersAreClasses)
    } else if FolderArrangement.isArchive(path) {
      if let format = UnsupportedFormat.ofArchive(path) { throw DatasetError(format, path) }
      kind = .folder(try FolderArrangement(path, subfoldersAreClasses: subfoldersAreClasses))
    } else {
      kind = try Self.kind(ofFile: path)
    }
  }

  private static func idxSet(_ path: String) throws -> IDXSet? {
    let sets = IDXSet.sets(in: path)
    guard sets.count > 1 else { return sets.first }
    throw InputError(
      "\(path): it has several data sets (\(sets.map(\.name).joined(separator: ", "))); choose one of them: "
        + sets[0].path)
  }

  private static func kind(ofFolder path: String, subfoldersAreClasses: Bool) throws -> Kind {
    if let format = UnsupportedFormat.ofFolder(path) { throw DatasetError(format, path) }
    func has(_ names: String...) -> Bool { names.contains { fileExists("\(path)/\($0)") } }
    if has("data_batch_1.bin", "cifar-10-batches-bin") {
      return .named("cifar10", path: path, hasTests: has("test_batch.bin", "cifar-10-batches-bin/test_batch.bin"))
    }
    if has("fine_label_names.txt", "cifar-100-binary") {
      return .named("cifar100", path: path, hasTests: has("test.bin", "cifar-100-binary/test.bin"))
    }
    return .folder(try FolderArrangement(path, subfoldersAreClasses: subfoldersAreClasses))
  }

  private static func kind(ofFile path: String) throws -> Kind {
    if let format = UnsupportedFormat.ofFile(path) { throw DatasetError(format, path) }
    if NumpySource.canRead(path) { return .numpy(try NumpySource(path)) }
    guard !ImageFolder.isImage(path) else {
      throw InputError("\(path): it is a single image; give the folder that contains it")
    }
    return .hdf5
  }

  /// Whether it has separate test images.
  func holdsTests() throws -> Bool {
    switch kind {
    case .named(_, _, let hasTests): hasTests
    case .idx(let set): set.has(.test)
    case .hdf5: try HDF5Images.testsAreIn(path)
    case .numpy(let arrays): arrays.hasTests
    case .folder(let folder): folder.hasTests
    }
  }

  /// - Throws: `DatasetError`.
  func open(_ split: DatasetSplit) throws -> Contents {
    switch kind {
    case .named(let name, let path, _): .images(try DatasetCatalog.images(name: name, path: path, split: split))
    case .idx(let set): .images(try set.load(split))
    case .hdf5: .images(try HDF5Images(path: path, split: split))
    case .numpy(let arrays): .images(try arrays.images(split))
    case .folder(let folder): .folder(try folder.images(split))
    }
  }

  /// Its images for tests: the test images if there are separate ones, otherwise all of it.
  /// - Parameter classNames: the classes of the training images.
  func openTests(classNames: [String]) throws -> Contents {
    if case .folder(let folder) = kind { return .folder(try folder.imagesForTests(classNames: classNames)) }
    return try open(holdsTests() ? .test : .training)
  }
}
