import Configuration
import Datasets
import Diffusion
import Failures
import Tensors

/// The first images of a data set, for a model that was trained on the like of them.
public struct DataImages {
  public let dataset: any ImageDataset

  /// - Parameters:
  ///   - path: where the data set is; nil for where it was in training.
  ///   - background: what is behind transparent pixels of image files; nil for what it was in training.
  ///   - count: how many images there must be.
  ///   - condition: what the model is conditioned on; images' own classes must be the model's.
  /// - Throws: `DatasetError`, and `InputError` if there are too few or the model is for others.
  init(
    _ configuration: RunConfiguration, path: String?, background: FolderImages.Background?, split: DatasetSplit,
    imageShape: [Int], atLeast count: Int, condition: ClassCondition = .own
  ) throws {
    dataset = try configuration.dataset(path: path, split: split, background: background)
    guard dataset.imageShape == imageShape else {
      throw InputError("\(dataset.name) has images \(dataset.imageShape), but the model is for \(imageShape)")
    }
    guard count <= dataset.count else {
      throw InputError("--count is \(count), but the \(split.rawValue) images of \(dataset.name) are \(dataset.count)")
    }
    if let classCount = configuration.model.classes, condition == .own, dataset.classNames.count > classCount {
      throw InputError(
        "\(dataset.name) has \(dataset.classNames.count) classes, but the model was trained with \(classCount); name the "
          + "data that it was trained on with --data-path, or one class for all images with --class")
    }
  }

  public init(_ dataset: any ImageDataset) { self.dataset = dataset }

  /// As networks take them, in [−1, 1], [images.count, H, W, C].
  /// - Throws: `DatasetError` if one of them cannot be read.
  public func images(_ numbers: [Int]) throws -> Tensor {
    let tensor = Tensor(uninitialised: [numbers.count] + dataset.imageShape)
    for (place, number) in numbers.enumerated() {
      try dataset.copyImage(number, into: tensor.pointer + place * dataset.elementsPerImage, flipped: false)
    }
    return tensor
  }

  /// Made continuous by uniform noise: (v + u)/128 − 1 for bytes v.
  /// - Throws: `DatasetError` if one of them cannot be read.
  func dequantised(_ images: Range<Int>, seed: UInt64) throws -> DoubleTensor {
    let size = dataset.elementsPerImage
    var result = DoubleTensor(shape: [images.count] + dataset.imageShape)
    var bytes = [UInt8](repeating: 0, count: size)
    let uniform = Tensor(uninitialised: [size])
    for (place, image) in images.enumerated() {
      try bytes.withUnsafeMutableBufferPointer { try dataset.copyBytes(of: image, into: $0.baseAddress!) }
      RandomStream(seed: seed, purpose: .dequantisation, sample: image).fillUniform(uniform.pointer, count: size)
      for index in 0..<size {
        result.elements[place * size + index] = (Double(bytes[index]) + Double(uniform.pointer[index])) / 128 - 1
      }
    }
    return result
  }
}
