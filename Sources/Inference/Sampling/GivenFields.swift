import Configuration
import Datasets
import Failures
import Files
import HDF5
import Images
import Network
import Tensors

/// The channels that a network is given for the images to draw, the conditions, numbered from 0. They are read on demand.
package struct GivenFields: Sendable {
  package let count: Int
  /// [H, W, k].
  package let shape: [Int]
  /// Ranks compare it to make sure that they have the same conditions.
  package let fingerprint: UInt64
  /// Returns a condition, [H, W, k], as the network takes it.
  private let read: @Sendable (_ condition: Int) throws -> Tensor

  /// Conditions in turn: after the last one, the first one follows.
  /// - Returns: [conditions.count, H, W, k], as the network takes them.
  /// - Throws: `DatasetError`, and `InputError` for values that are not finite.
  package func rows(_ conditions: [Int]) throws -> Tensor {
    let rows = Tensor(uninitialised: [conditions.count] + shape)
    for (row, condition) in conditions.enumerated() {
      // The members of a condition follow one another.
      let isRepeated = row > 0 && conditions[row - 1] == condition
      try rows[image: row].copy(isRepeated ? rows[image: row - 1] : read(condition % count))
    }
    return rows
  }

  /// The given channels of a data set's samples.
  package init(_ dataset: any Dataset) {
    let shape = dataset.imageShape
    let channels = shape[2] - dataset.conditionChannels..<shape[2]
    count = dataset.count
    self.shape = [shape[0], shape[1], channels.count]
    fingerprint = dataset.fingerprint
    read = { condition in
      let sample = Tensor(uninitialised: [1] + shape)
      try dataset.copyValues(of: condition, into: sample, at: 0, flipped: false)
      return sample.channels(channels)
    }
  }

  /// The conditions in a file that a user gives, for a model: packed fields, with the channels that the model names; or
  /// for a model of images, an image file, a folder of them or an HDF5 file, whose grey values are given. Only the
  /// thread that calls libhdf5 may call this.
  /// - Throws: `DatasetError`, and `InputError` if the model takes no conditions, or others.
  package init(_ path: String, for model: TrainedModel) throws {
    guard model.conditionChannels > 0 else {
      throw InputError("--condition \(path): the model was trained without data.conditions; nothing can be given to it")
    }
    let shape = [model.imageShape[0], model.imageShape[1], model.conditionChannels]
    if let description = model.fields {
      try self.init(fieldsIn: path, as: description, shape: shape)
    } else {
      try self.init(imagesIn: path, fitting: model.configuration.data.fitting, shape: shape)
    }
  }

  private init(fieldsIn path: String, as description: FieldDescription, shape: [Int]) throws {
    var given = description
    (given.variables, given.conditions) = (description.conditions, [])
    let fields: FieldDataset
    do throws(DatasetError) { fields = try FieldDataset(PackedFields(path: path), as: given) } catch {
      throw InputError("--condition \(path): \(error.problem); \(Self.remedy(for: error, path))")
    }
    try Self.require(fields.imageShape, shape, path, "crop or pad fields with `ddpm-mpi pack`")
    (count, self.shape, fingerprint) = (fields.count, shape, fields.fingerprint)
    read = { condition in
      let sample = Tensor(uninitialised: [1] + shape)
      try fields.copyValues(of: condition, into: sample, at: 0, flipped: false)
      guard sample.isFinite else {
        throw InputError("--condition \(path): sample \(condition) has values that are missing or infinite")
      }
      return sample[image: 0]
    }
  }

  /// The advice for a file of fields that cannot be given: files of other programs, which HDF5's seal tells apart, have to
  /// be packed.
  private static func remedy(for error: DatasetError, _ path: String) -> String {
    if isFolder(path) { return "give a file of fields by `ddpm-mpi pack`" }
    let packing = "pack it with `ddpm-mpi pack \(path) --output NEW.h5`, and give that"
    if error.kind == .wrongMagic { return packing }
    let isUnsealed = (try? FileSeal.isOn(path)) == false
    return isUnsealed ? "if another program has written it, \(packing)" : error.advice
  }

  private init(imagesIn path: String, fitting: FolderImages.Fitting, shape: [Int]) throws {
    var fitting = fitting
    fitting.channels = 1
    let images = try Self.images(path, fitting)
    try Self.require(images.imageShape, shape, path, "resize images with `ddpm-mpi pack … --size`")
    (count, self.shape, fingerprint) = (images.count, shape, images.fingerprint)
    read = { condition in
      let bytes = try images.bytes(of: condition)
      let image = Image(
        width: images.width, height: images.height, channels: images.channels, pixels: bytes.elements)
      return Tensor(image.inGrey.pixels.map(networkValue(of:)), shape: shape)
    }
  }

  private static func images(_ path: String, _ fitting: FolderImages.Fitting) throws -> any ImageDataset {
    if ImageFolder.isImage(path) { return try StoredImages(file: path, fitting: fitting) }
    guard case .images(let images) = try ImageSet(path, fitting: fitting) else {
      throw InputError("--condition \(path): it has statistics, not images")
    }
    return images
  }

  /// - Throws: `InputError` unless a file's samples have the model's height and width.
  private static func require(_ found: [Int], _ shape: [Int], _ path: String, _ remedy: String) throws(InputError) {
    guard found[0..<2] != shape[0..<2] else { return }
    throw InputError(
      "--condition \(path): it has samples of \(found[0])x\(found[1]), but the model is for \(shape[0])x\(shape[1]); "
        + remedy)
  }
}
