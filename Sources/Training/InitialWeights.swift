import Checkpoints
import Compression
import Configuration
import DataParallel
import Failures
import HDF5
import Inference
import MessagePassing
import Network
import Reporting
import Tensors

/// The weights of a checkpoint that a new run starts from, instead of weights drawn from the seed.
final class InitialWeights {
  /// The checkpoint.
  let path: String
  let configuration: RunConfiguration
  private let header: CheckpointHeader
  private let file: CheckpointLookup.OpenFile
  /// The group that contains the weights.
  private let group: String
  private let problems: [String]
  private var parameters: Arena?

  /// Finds the checkpoint. By this process alone.
  /// - Parameter location: a checkpoint, a run's folder or its folder of checkpoints.
  /// - Throws: `CheckpointError`, and `InputError` if it contains no weights of this kind.
  init(at location: String, weights: ModelRequest.Weights, kind: CheckpointHeader.Kind) throws {
    let (found, path, problems) = try CheckpointLookup.newest(at: location, option: "--initial") {
      try CheckpointLookup.open($0)
    }
    guard found.header.kind == kind else {
      throw InputError("--initial \(path): this is a \(found.header.kind.rawValue), not a \(kind.rawValue)")
    }
    (header, configuration, file) = found
    group = try CheckpointLookup.group(weights, configuration, in: file, option: "--initial-weights")
    self.path = path
    self.problems = problems
  }

  /// Reads the weights. By this process alone.
  /// - Throws: `InputError` if the new run's network is different, naming the differences; `CheckpointError` if they
  ///   are damaged.
  func read(for layout: ParameterLayout, of new: RunConfiguration) throws {
    let free: Set = ["model.dropout", "model.convolution", "model.attention_init_scale"]
    var problems = new.difference(from: configuration).compactMap { difference in
      difference.key.name.hasPrefix("model.") && !free.contains(difference.key.name)
        ? "\(difference.key.name) is \(difference.theirs) there but \(difference.mine) here" : nil
    }
    if problems.isEmpty { problems = try tensorProblems(layout) }
    guard problems.isEmpty else {
      throw InputError("--initial \(path): its network is different: \(problems.joined(separator: ", "))")
    }
    let arena = Arena(layout)
    try TensorGroup(path: group, layout: layout, ranges: [0..<arena.count], values: arena.buffer)
      .read(from: file.file, communicator: nil)
    parameters = arena
  }

  /// Differences that no key of the model explains: the size or channels of images, or the variance.
  private func tensorProblems(_ layout: ParameterLayout) throws -> [String] {
    let there = Set(try file.file.names(in: group))
    let here = Set(layout.entries.map(\.name))
    var problems: [String] = []
    if let name = there.subtracting(here).min() { problems.append("it has \(name), which is missing here") }
    if let name = here.subtracting(there).min() { problems.append("it has no \(name)") }
    for entry in layout.entries where there.contains(entry.name) && problems.isEmpty {
      let dataset = try file.file.openDataset("\(group)/\(entry.name)")
      if dataset.shape != entry.shape {
        problems.append("\(entry.name) is \(dataset.shape) there but \(entry.shape) here")
      }
      try dataset.close()
    }
    if !problems.isEmpty {
      problems.append("and it is for images of \(header.imageShape.map(String.init).joined(separator: "x"))")
    }
    return problems
  }

  /// Copies the weights to a trainer before its first step. Collective.
  func give(
    to trainer: DataParallelTrainer, _ new: RunConfiguration, _ communicator: Communicator, _ reporter: RunReporter
  ) throws {
    guard let parameters else { preconditionFailure("the weights have not been read") }
    let checksum = Tensor(parameters.buffer).withUnsafeBytes { crc32($0) }
    try communicator.requireAlike("--initial", "\(path), step \(header.step), checksum \(checksum)")
    trainer.begin(with: parameters)
    self.parameters = nil
    for problem in problems { reporter.log.warning("\(problem); trying the previous one") }
    reporter.log.info("Starting from the weights /\(group) of \(path), step \(header.step).")
    for difference in new.difference(from: configuration) where difference.key.name.hasPrefix("diffusion.") {
      reporter.log.warning(
        "they were trained with \(difference.key.name)=\(difference.theirs); training continues with \(difference.mine)"
      )
    }
  }
}
