import Configuration
import Datasets
import Diffusion
import Failures
import Reporting
import Tensors

/// The first `count` images of a model's data set.
package struct DataChoice: Sendable {
  package var count: Int
  package var split = DatasetSplit.test
  /// The location of the data set; by default that of the training.
  package var path: String?
  /// The background of transparent pixels of image files; by default that of the training.
  package var background: FolderImages.Background?

  package init(count: Int) { self.count = count }
}

/// The first images of a data set, for a model trained on images of the same kind.
package struct DataImages {
  package let dataset: any ImageDataset

  /// - Parameter condition: the model's condition; with images' own classes, the classes must be the model's.
  /// - Throws: `DatasetError`, and `InputError` if there are too few, or the model is for different images.
  init(_ choice: DataChoice, for model: TrainedModel, condition: ClassCondition = .own) throws {
    dataset = try model.configuration.imageDataset(
      for: "this command", path: choice.path, split: choice.split, background: choice.background)
    guard dataset.imageShape == model.imageShape else {
      throw InputError(
        "\(dataset.name) has images of \(ProgressFormat.dimensions(dataset.imageShape)), but the model is for "
          + ProgressFormat.dimensions(model.imageShape))
    }
    guard choice.count <= dataset.count else {
      throw InputError(
        "--count is \(choice.count), but \(dataset.name) has only \(dataset.count) \(choice.split.rawValue) images")
    }
    if let classCount = model.configuration.model.classes, condition == .own, dataset.classNames.count > classCount {
      throw InputError(
        "\(dataset.name) has \(dataset.classNames.count) classes, but the model was trained with \(classCount); give the "
          + "data that it was trained on with --data-path, or one class for all images with --class")
    }
  }

  package init(_ dataset: any ImageDataset) { self.dataset = dataset }

  /// The images as networks take them, in [−1, 1], [images.count, H, W, C].
  /// - Throws: `DatasetError` if one of them cannot be read.
  package func images(_ numbers: [Int]) throws -> Tensor {
    let tensor = Tensor(uninitialised: [numbers.count] + dataset.imageShape)
    for (row, number) in numbers.enumerated() {
      try dataset.copyValues(of: number, into: tensor, at: row, flipped: false)
    }
    return tensor
  }

  /// The images made continuous by uniform noise: (v + u)/128 − 1 for bytes v.
  /// - Throws: `DatasetError` if one of them cannot be read.
  func dequantised(_ images: Range<Int>, seed: UInt64) throws -> DoubleTensor {
    let size = dataset.elementsPerImage
    var result = DoubleTensor(shape: [images.count] + dataset.imageShape)
    let uniform = Tensor(uninitialised: [size])
    for (row, image) in images.enumerated() {
      let bytes = try dataset.bytes(of: image)
      RandomStream(seed: seed, purpose: .dequantisation, sample: image).fillUniform(uniform)
      for index in 0..<size {
        result.elements[row * size + index] = (Double(bytes[index]) + Double(uniform[index])) / 128 - 1
      }
    }
    return result
  }
}
