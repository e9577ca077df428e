/// The data sets by name.
public enum DatasetCatalog {
  /// The names that `load` knows.
  public static let names = ["fashion-mnist", "mnist", "cifar10", "cifar100", "shapes", "folder", "hdf5"]

  /// The names that stand for data of the user's own, whose shape is known only from it.
  public static let namesOfOwnData = ["folder", "hdf5"]

  /// Loads a data set, or opens it if its images are read when they are needed. Only the thread that calls libhdf5 may
  /// do this.
  /// - Parameters:
  ///   - name: one of `names`.
  ///   - path: the folder of its files, or the file. `nil` means the usual place, which only Fashion-MNIST has; `shapes`
  ///     has no files and needs no path.
  ///   - split: which of its images.
  ///   - fitting: how image files are read, and brought to one kind.
  /// - Throws: `DatasetError` for an unknown name, and for files that are missing or damaged.
  public static func load(
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

  /// Where a data set's files are: a folder or a file; nil if it has none, or nobody says where.
  /// - Parameter path: as for `load`.
  public static func location(name: String, path: String?) -> String? {
    switch name {
    case "shapes": nil
    case "fashion-mnist": path ?? FashionMNIST.defaultFolder
    default: path
    }
  }

  /// [H, W, C] of a data set's images as they are loaded, without loading them; nil for an unknown name and the user's own data.
  public static func imageShape(name: String) -> [Int]? {
    switch name {
    case "fashion-mnist", "mnist": [32, 32, 1]
    case "cifar10", "cifar100", "shapes": [32, 32, 3]
    default: nil
    }
  }

  private static func requiredPath(_ path: String?, _ name: String) throws -> String {
    guard let path else {
      throw DatasetError(
        .missing, "data.path", "\(name) has no usual place on a machine",
        advice: "name \(name == "hdf5" ? "the file that `ddpm-mpi pack` has written" : "the folder of its files") with "
          + "`--set data.path=…`, or take `--set data.name=shapes`, which needs no files")
    }
    return path
  }
}
