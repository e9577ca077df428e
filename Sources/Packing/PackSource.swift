import Datasets
import Files
import Foundation
import Jobs

/// Where images to pack come from; what it is, is found out by looking at it.
struct PackSource {
  enum Kind {
    /// A data set that is found by its name.
    case named
    case fashionMNIST
    case mnist
    case cifar10
    case cifar100
    case hdf5
    case folder
  }

  enum Contents {
    /// Image files, whose sizes and colours are still to be looked at.
    case folder(ImageFolder)
    case images(any ImageDataset)
  }

  let path: String
  let kind: Kind

  /// - Throws: `InputError` if there is nothing of this name.
  init(_ argument: String) throws {
    path = withoutTrailingSlashes(argument)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      guard ["fashion-mnist", "shapes"].contains(argument) else {
        throw InputError("\(argument): there is no such file or folder to pack")
      }
      kind = .named
      return
    }
    guard isFolder.boolValue else {
      kind = .hdf5
      return
    }
    let path = path
    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
    if has("train-images-idx3-ubyte") || has("train-images-idx3-ubyte.gz") {
      kind = (standardisedPath(path) as NSString).lastPathComponent == "fashion-mnist" ? .fashionMNIST : .mnist
    } else if has("data_batch_1.bin") || has("cifar-10-batches-bin") {
      kind = .cifar10
    } else if has("fine_label_names.txt") || has("cifar-100-binary") {
      kind = .cifar100
    } else {
      kind = .folder
    }
  }

  /// Whether it holds test images apart from the others.
  func holdsTests() throws -> Bool {
    func has(_ names: String...) -> Bool { names.contains { FileManager.default.fileExists(atPath: "\(path)/\($0)") } }
    return switch kind {
    case .named: true
    case .fashionMNIST, .mnist: has("t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz")
    case .cifar10: has("test_batch.bin", "cifar-10-batches-bin/test_batch.bin")
    case .cifar100: has("test.bin", "cifar-100-binary/test.bin")
    case .hdf5: try PackedImages.testsAreIn(path)
    case .folder: ImageFolder.hasSplits(path)
    }
  }

  /// - Throws: `DatasetError`.
  func open(_ split: DatasetSplit) throws -> Contents {
    switch kind {
    case .named: .images(try DatasetCatalog.load(name: path, split: split))
    case .fashionMNIST: .images(try FashionMNIST.load(folder: path, split: split))
    case .mnist: .images(try MNIST.load(folder: path, split: split))
    case .cifar10: .images(try CIFAR10.load(folder: path, split: split))
    case .cifar100: .images(try CIFAR100.load(folder: path, split: split))
    case .hdf5: .images(try HDF5Images(path: path, split: split))
    case .folder: .folder(try ImageFolder(path, split: split))
    }
  }

  /// What it has for tests: if it holds test images apart, these, and otherwise all of it.
  /// - Parameter classNames: the classes of the training images.
  func openTests(classNames: [String]) throws -> Contents {
    if try holdsTests() { return try open(.test) }
    return kind == .folder ? .folder(try ImageFolder(path, classNames: classNames)) : try open(.training)
  }
}
