import Datasets
import Evaluation
import Failures
import Files
import Images
import Interchange

/// One side of a comparison: images, or their statistics.
enum ImageSet {
  /// Images of a folder or an HDF5 file.
  case images(any ImageDataset)
  /// Statistics of a NumPy archive.
  case statistics(StatisticsFile)

  /// Opens the images or statistics at a path.
  /// - Parameter fitting: how image files are read and converted to one kind.
  /// - Throws: `InputError`, `DatasetError`, `InterchangeError`.
  init(_ path: String, fitting: FolderImages.Fitting) throws {
    let path = withoutTrailingSlashes(path)
    guard fileExists(path) else {
      throw InputError(
        "\(path): there is no such file or folder; give a folder of PNG or JPEG images, an HDF5 file with a dataset "
          + "`images`, or statistics (.npz)")
    }
    if isFolder(path) {
      let folder = try FolderArrangement(path)
      guard !folder.hasSplits else {
        throw InputError("\(path): it contains both training and test images; give the folder of one of them")
      }
      self = .images(try FolderImages(folder.images(.training), fitting: fitting))
    } else if path.hasSuffix(".npz") {
      self = .statistics(try StatisticsFile(readingFrom: path))
    } else {
      self = .images(try HDF5Images(path: path))
    }
  }
}
