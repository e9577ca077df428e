/// The data sets by name.
package enum DatasetCatalog {
  /// The names accepted by `load`.
  package static let names = [
    "fashion-mnist", "mnist", "cifar10", "cifar100", "shapes", "gaussian-field", "folder", "hdf5",
  ]

  /// The names for the user's own data, whose shape is not known in advance.
  package static let namesOfOwnData = ["folder", "hdf5"]

  /// Height and width of the fields of `gaussian-field`.
  private static let gaussianFieldSize = 32

  /// Loads a data set, or opens it if its samples are read on demand. Only the thread that calls libhdf5 may call this.
  /// - Parameters:
  ///   - name: one of `names`.
  ///   - path: the folder of its files, or the file. nil for the default location, which only Fashion-MNIST has;
  ///     `shapes` and `gaussian-field` need no files.
  ///   - split: the samples to load.
  ///   - fitting: how image files are read and converted to one kind.
  ///   - conditions: the variables of fields, or `grey` of images, that are given to the network.
  ///   - normalisation: of fields.
  ///   - channels: the number of channels of `gaussian-field`; nil for one.
  /// - Throws: `DatasetError` for an unknown name or condition, and for files that are missing or damaged.
  package static func load(
    name: String, path: String? = nil, split: DatasetSplit = .training,
    fitting: FolderImages.Fitting = FolderImages.Fitting(), conditions: [String] = [],
    normalisation: FieldNormalisation = .standard, channels: Int? = nil
  ) throws -> any Dataset {
    if let fields = try fields(name: name, path: path, split: split, channels: channels) {
      return try FieldDataset(fields, conditions: conditions, normalisation: normalisation)
    }
    let images = try images(name: name, path: path, split: split, fitting: fitting)
    if conditions.isEmpty { return images }
    if let unknown = conditions.first(where: { $0 != GreyConditionedImages.conditionName }) {
      throw DatasetError(
        .unknownName, "data.conditions", "\(images.name) has images, which have no channel \(unknown)",
        advice: "\(GreyConditionedImages.conditionName), the grey value of colour images, can be given")
    }
    return try GreyConditionedImages(images)
  }

  /// The fields of a data set in physical units; nil if it has images. The parameters are those of `load`.
  /// - Throws: `DatasetError` for files that are damaged.
  package static func fields(
    name: String, path: String?, split: DatasetSplit, channels: Int? = nil
  ) throws(DatasetError) -> (any PhysicalFields)? {
    switch name {
    case "gaussian-field":
      return GaussianField(size: gaussianFieldSize, channels: channels ?? 1, split: split)
    case "hdf5":
      guard let path, PackedFields.areIn(path) else { return nil }
      return try PackedFields(path: path, split: split)
    default:
      return nil
    }
  }

  /// The images of a data set. The parameters are those of `load`.
  /// - Throws: `DatasetError`, also for fields.
  package static func images(
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
    case "gaussian-field":
      throw DatasetError(
        .wrongLayout, "data.name", "\(name) has fields, not images", advice: "choose a data set of images")
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
    case "shapes", "gaussian-field": nil
    case "fashion-mnist": path ?? FashionMNIST.defaultFolder
    default: path
    }
  }

  /// The shape [H, W, C] of a data set's samples, without loading them; nil for an unknown name and the user's own data.
  /// - Parameter channels: the number of channels of `gaussian-field`; nil for one.
  package static func imageShape(name: String, channels: Int? = nil) -> [Int]? {
    switch name {
    case "fashion-mnist", "mnist": [32, 32, 1]
    case "cifar10", "cifar100", "shapes": [32, 32, 3]
    case "gaussian-field": [gaussianFieldSize, gaussianFieldSize, channels ?? 1]
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
