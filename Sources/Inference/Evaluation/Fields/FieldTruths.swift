import Configuration
import Datasets
import Failures
import Tensors

/// The fields of a data set that drawn ones are compared with, in physical units.
package struct FieldTruths: Sendable {
  /// As the model takes them: its variables in its order, normalised as in its training.
  package let dataset: FieldDataset

  package init(_ dataset: FieldDataset) { self.dataset = dataset }

  /// Opens a run's data set. Only the thread that calls libhdf5 may call this.
  /// - Parameters:
  ///   - path: the location, if it differs from the configuration.
  ///   - model: what the model's channels are.
  ///   - shape: [H, W, C] of the fields that it draws.
  /// - Throws: `DatasetError`, and `InputError` unless the data set has fields on the same grid.
  package init(
    _ configuration: RunConfiguration, path: String? = nil, split: DatasetSplit, for model: FieldDescription,
    shape: [Int]
  ) throws {
    let data = configuration.data
    let fields = try DatasetCatalog.fields(
      name: data.name, path: path ?? data.path, split: split, channels: data.channels)
    guard let fields else {
      throw InputError(
        "\(path ?? data.path ?? data.name) has no packed fields, with which drawn fields can be compared")
    }
    let dataset = try FieldDataset(fields, as: model)
    guard dataset.drawnShape == shape else {
      throw InputError(
        "\(fields.name) has fields of \(dataset.height)x\(dataset.width) points, but the model draws "
          + "\(shape[0])x\(shape[1]); crop or pad them with `ddpm-mpi pack`")
    }
    self.init(dataset)
  }

  var variables: [FieldVariable] { dataset.description.variables }

  /// [H, W, C].
  var shape: [Int] { dataset.drawnShape }

  /// The drawn channels of consecutive samples, [samples.count, H, W, C].
  /// - Throws: `DatasetError` if one of them cannot be read.
  func fields(_ samples: Range<Int>, workers: WorkerPool) throws -> Tensor {
    let whole = Tensor(uninitialised: [samples.count] + dataset.imageShape)
    try workers.forEachTrying(samples.count) { offset in
      try dataset.copyValues(of: samples.lowerBound + offset, into: whole, at: offset, flipped: false)
    }
    let fields = drawnChannels(of: whole)
    dataset.description.denormalise(fields, as: variables)
    return fields
  }

  private func drawnChannels(of samples: Tensor) -> Tensor {
    guard dataset.conditionChannels > 0 else { return samples }
    let (all, drawn) = (dataset.imageShape[2], shape[2])
    let fields = Tensor(uninitialised: [samples.shape[0]] + shape)
    for point in 0..<fields.count / drawn {
      for channel in 0..<drawn { fields[point * drawn + channel] = samples[point * all + channel] }
    }
    return fields
  }
}
