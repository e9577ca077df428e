/// Handwritten digits (LeCun, Cortes, Burges: "The MNIST database", 1998): 28x28 grey, padded to 32x32.
package enum MNIST {
  /// - Parameters:
  ///   - folder: the folder of `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`, plain or `.gz`, with `t10k-…`
  ///     for the test images; or the parent of a subfolder `raw` with them.
  ///   - split: the images to load.
  /// - Throws: `DatasetError`.
  package static func load(folder: String, split: DatasetSplit = .training) throws -> StoredImages {
    try IDXSet(family: .mnist, folder: withImages(folder)).load(
      split,
      advice: "give the folder of train-images-idx3-ubyte and train-labels-idx1-ubyte (plain or .gz) with "
        + "`--set data.path=…`")
  }
}

/// Pictures of clothes (Xiao, Rasul, Vollgraf: "Fashion-MNIST", 2017, arXiv 1708.07747): 28x28 grey, padded to 32x32.
/// All shoes point in the same direction, so mirrored images would not be valid.
package enum FashionMNIST {
  /// The location used by Debian's package dataset-fashion-mnist.
  package static let defaultFolder = "/usr/share/datasets/fashion-mnist"

  /// - Parameters:
  ///   - folder: as for `MNIST`.
  ///   - split: the images to load.
  /// - Throws: `DatasetError`.
  package static func load(folder: String = defaultFolder, split: DatasetSplit = .training) throws -> StoredImages {
    try IDXSet(family: .fashionMNIST, folder: withImages(folder)).load(
      split,
      advice: "install it (`apt-get install dataset-fashion-mnist`), give its folder with `--set data.path=…`, or "
        + "use `--set data.name=shapes`, which needs no files")
  }
}

/// The folder itself, or the subfolder in which torchvision stores the files.
private func withImages(_ folder: String) -> String {
  let raw = "\(folder)/raw"
  return IDXSet(family: .mnist, folder: raw).has(.training) ? raw : folder
}
