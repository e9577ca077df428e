/// The data sets by name.
package enum DatasetCatalog {
  /// The names accepted by `load`.
  package static let names = ["fashion-mnist", "mnist", "cifar10", "cifar100", "shapes", "folder", "hdf5"]

  /// The names for the user's own data, whose shape is not known in advance.
  package static let namesOfOwnData = ["folder", "hdf5"]

  /// Loads a data set, or opens it if its images are read on demand. Only the thread that calls libhdf5 may call this.
  /// - Parameters:
  ///   - name: one of `names`.
  ///   - path: the folder of its files, or the file. nil for the default location, which only Fashion-MNIST has;
  ///     `shapes` needs no files.
  ///   - split: the images to load.
  ///   - fitting: how image files are read and converted to one kind.
  /// - Throws: `DatasetError` for an unknown name, and for files that are missing or damaged.
  package static func load(
    name: String, path: String? = nil, split: DatasetSplit = .training,
    fitting: FolderImages.Fitting = FolderImages.Fitting()
  ) throws -> any ImageDataset {
    switch name {
    case "fashion-mnist":
      return try FashionMNIST.load(folder: path ?? FashionMNIST.defaultFolder, split: split)
    case "mnist":
      return try MNIST.load(folder: requiredPath(path, name), split: split)
    case "cifar10":
      return try CIFAR10.load(folder: requiredPath(path, name), split: split)
    case "cifar100":
      return try CIFAR100.load(folder: requiredPath(path, name), split: split)
    case "folder":
      return try FolderImages(FolderArrangement(requiredPath(path, name)).images(split), fitting: fitting)
    case "hdf5":
      return try PackedImages(path: requiredPath(path, name), split: split)
    case "shapes":
      return Shapes(split: split)
    default:
      throw DatasetError(
        .unknownName, "data.name", "there is no data set \"\(name)\"",
        advice: "the names are \(names.joined(separator: ", "))")
    }
  }

  /// The folder or file of a data set; nil if it has none, or none is given.
  /// - Parameter path: as for `load`.
  package static func location(name: String, path: String?) -> String? {
    switch name {
    case "shapes": nil
    case "fashion-mnist": path ?? FashionMNIST.defaultFolder
    default: path
    }
  }

  /// The shape [H, W, C] of a data set's images, without loading them; nil for an unknown name and the user's own data.
  package static func imageShape(name: String) -> [Int]? {
    switch name {
    case "fashion-mnist", "mnist": [32, 32, 1]
    case "cifar10", "cifar100", "shapes": [32, 32, 3]
    default: nil
    }
  }

  private static func requiredPath(_ path: String?, _ name: String) throws -> String {
    guard let path else {
      throw DatasetError(
        .missing, "data.path", "\(name) has no default location",
        advice: "give \(name == "hdf5" ? "the file that `ddpm-mpi pack` has written" : "the folder of its files") with "
          + "`--set data.path=…`, or use `--set data.name=shapes`, which needs no files")
    }
    return path
  }
}
