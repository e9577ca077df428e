import Configuration
import Datasets
import Failures
import Files
import Tensors

/// The fields of a data set that drawn ones are compared with, in physical units.
package struct FieldTruths: Sendable {
  /// As the model takes them: its variables in its order, normalised as in its training.
  package let dataset: FieldDataset

  package init(_ dataset: FieldDataset) { self.dataset = dataset }

  /// Opens a run's data set. Only the thread that calls libhdf5 may call this.
  /// - Parameters:
  ///   - path: the location given with `--data-path`, if it differs from the configuration.
  ///   - model: what the model's channels are.
  ///   - shape: [H, W, C] of the fields that it draws.
  /// - Throws: `DatasetError`, and `InputError` unless there is such a data set, and has fields on the same grid.
  package init(
    _ configuration: RunConfiguration, path: String? = nil, split: DatasetSplit, for model: FieldDescription,
    shape: [Int]
  ) throws {
    let data = configuration.data
    let file = DatasetCatalog.location(name: data.name, path: path ?? data.path)
    if let file, !fileExists(file) {
      throw InputError("\(path == nil ? "data.path" : "--data-path") \(file): there is no such file")
    }
    let fields = try DatasetCatalog.fields(
      name: data.name, path: file, split: split, channels: data.channels)
    guard let fields else {
      throw InputError(
        "\(file ?? data.name) has no packed fields, with which drawn fields can be compared; if it has other "
          + "fields, pack them with `ddpm-mpi pack`")
    }
    let location = file ?? fields.name
    let dataset = try FieldDataset(fields, as: model, location: location)
    guard dataset.drawnShape == shape else {
      throw InputError(
        "\(location) has fields of \(dataset.height)x\(dataset.width) points, but the model draws "
          + "\(shape[0])x\(shape[1]); crop or pad them with `ddpm-mpi pack`")
    }
    self.init(dataset)
  }

  var variables: [FieldVariable] { dataset.description.variables }

  /// The names of the variables that may have missing values, for which `ddpm-mpi pack --missing mask` has made masks.
  var incompleteVariables: [String] { dataset.incompleteVariables }

  /// [H, W, C].
  var shape: [Int] { dataset.drawnShape }

  /// The drawn channels of consecutive samples, [samples.count, H, W, C], and which of their values were present when they
  /// were packed; nil if all were.
  /// - Throws: `DatasetError` if one of them cannot be read.
  package func fields(
    _ samples: Range<Int>, workers: WorkerPool
  ) throws -> (fields: Tensor, isPresent: [Bool]?) {
    let whole = Tensor(uninitialised: [samples.count] + dataset.imageShape)
    try workers.forEachTrying(samples.count) { offset in
      try dataset.copyValues(of: samples.lowerBound + offset, into: whole, at: offset, flipped: false)
    }
    let fields = drawnChannels(of: whole)
    dataset.description.denormalise(fields, as: variables)
    guard !incompleteVariables.isEmpty else { return (fields, nil) }
    return (fields, try samples.flatMap { try dataset.presence(in: $0) })
  }

  /// Which values of drawn fields belong to the distribution that is compared with that of the truths; nil if all do. Where
  /// the model itself draws that a value is missing, it has learned to draw what stands for one. And fields that are drawn
  /// for the conditions of truths are compared with these only where they are present.
  /// - Parameters:
  ///   - fields: [N, H, W, C], in physical units.
  ///   - samples: for each field the sample with its truth; nil for a model without conditions.
  /// - Throws: `DatasetError` if one of them cannot be read.
  package func presence(inDrawn fields: Tensor, for samples: [Int]?) throws -> [Bool]? {
    guard !incompleteVariables.isEmpty else { return nil }
    let (size, channels) = (shape.reduce(1, *), shape[2])
    var isPresent = [Bool](repeating: true, count: fields.count)
    for (channel, variable) in variables.enumerated() {
      guard let mask = variables.indexOfMask(of: variable.name) else { continue }
      for start in stride(from: 0, to: fields.count, by: channels) where fields[start + mask] < 0.5 {
        isPresent[start + channel] = false
      }
    }
    var truth: (sample: Int, isPresent: [Bool])?
    for (row, sample) in (samples ?? []).enumerated() {
      // The members of an ensemble follow one another.
      if truth?.sample != sample { truth = (sample, try dataset.presence(in: sample)) }
      for (index, isInTruth) in (truth?.isPresent ?? []).enumerated() where !isInTruth {
        isPresent[row * size + index] = false
      }
    }
    return isPresent
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
