/// Handwritten digits (LeCun, Cortes, Burges: "The MNIST database", 1998): 28x28 grey, padded to 32x32.
public enum MNIST {
  /// - Parameters:
  ///   - folder: where `train-images-idx3-ubyte` and `train-labels-idx1-ubyte` lie, plain or `.gz`; for the test images
  ///     `t10k-…`; or the folder above, if they are in its subfolder `raw`.
  ///   - split: which images.
  /// - Throws: `DatasetError`.
  public static func load(folder: String, split: DatasetSplit = .training) throws -> StoredImages {
    try IDXSet(family: .mnist, folder: withImages(folder)).load(
      split,
      advice: "name the folder of train-images-idx3-ubyte and train-labels-idx1-ubyte (plain or .gz) with "
        + "`--set data.path=…`")
  }
}

/// Pictures of clothes (Xiao, Rasul, Vollgraf: "Fashion-MNIST", 2017, arXiv 1708.07747): 28x28 grey, padded to 32x32.
/// Shoes all point one way, so mirror images are not of this data.
public enum FashionMNIST {
  /// Where Debian's package dataset-fashion-mnist puts it.
  public static let defaultFolder = "/usr/share/datasets/fashion-mnist"

  /// - Parameters:
  ///   - folder: as of `MNIST`.
  ///   - split: which images.
  /// - Throws: `DatasetError`.
  public static func load(folder: String = defaultFolder, split: DatasetSplit = .training) throws -> StoredImages {
    try IDXSet(family: .fashionMNIST, folder: withImages(folder)).load(
      split,
      advice: "install it (`apt-get install dataset-fashion-mnist`), name its folder with `--set data.path=…`, or "
        + "take `--set data.name=shapes`, which needs no files")
  }
}

/// The folder itself, or where torchvision leaves the files in it.
private func withImages(_ folder: String) -> String {
  let raw = "\(folder)/raw"
  return IDXSet(family: .mnist, folder: raw).has(.training) ? raw : folder
}
