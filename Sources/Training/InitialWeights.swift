import Checkpoints
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
  private let checkpoint: OpenCheckpoint
  /// The group that contains the weights.
  private let group: String
  private let problems: [String]
  /// On rank 0, once they have been read.
  private var parameters: Arena?

  var configuration: RunConfiguration { checkpoint.details.configuration }
  private var header: CheckpointHeader { checkpoint.details.header }

  /// Finds the checkpoint. By this process alone.
  /// - Parameter location: a checkpoint, a run's folder or its folder of checkpoints.
  /// - Throws: `CheckpointError`, and `InputError` if it contains no weights of this kind.
  init(at location: String, weights: ModelRequest.Weights, kind: CheckpointHeader.Kind) throws {
    (checkpoint, path, problems) = try CheckpointLookup.newest(at: location, option: "--initial") {
      try OpenCheckpoint($0)
    }
    let details = checkpoint.details
    guard details.header.kind == kind else {
      throw InputError("--initial \(path): this is a \(details.header.kind.rawValue), not a \(kind.rawValue)")
    }
    group = try details.group(of: weights, option: "--initial-weights")
  }

  /// Reads the weights, on rank 0 alone: it sends them to all ranks (`give`).
  /// - Throws: `InputError` if the new run's network is different, naming the differences; `CheckpointError` if they
  ///   are damaged.
  func read(for layout: ParameterLayout, of new: RunConfiguration) throws {
    let free: Set = ["model.dropout", "model.convolution", "model.precision", "model.attention_init_scale"]
    var problems = new.difference(from: configuration).compactMap { difference in
      difference.key.name.hasPrefix("model.") && !free.contains(difference.key.name)
        ? "\(difference.key.name) is \(difference.theirs) there but \(difference.mine) here" : nil
    }
    if problems.isEmpty { problems = try tensorProblems(layout) }
    guard problems.isEmpty else {
      throw InputError("--initial \(path): its network is different: \(problems.joined(separator: ", "))")
    }
    parameters = try checkpoint.parameters(in: group, layout)
  }

  /// Differences that no key of the model explains: the size or channels of images, or the variance.
  private func tensorProblems(_ layout: ParameterLayout) throws -> [String] {
    let there = Set(try checkpoint.file.names(in: group))
    let here = Set(layout.entries.map(\.name))
    var problems: [String] = []
    if let name = there.subtracting(here).min() { problems.append("it has \(name), which is missing here") }
    if let name = here.subtracting(there).min() { problems.append("it has no \(name)") }
    for entry in layout.entries where there.contains(entry.name) && problems.isEmpty {
      let dataset = try checkpoint.file.openDataset("\(group)/\(entry.name)")
      if dataset.shape != entry.shape {
        problems.append("\(entry.name) is \(dataset.shape) there but \(entry.shape) here")
      }
      try dataset.close()
    }
    if !problems.isEmpty {
      problems.append("and it is for images of \(ProgressFormat.dimensions(header.imageShape))")
    }
    return problems
  }

  /// Copies rank 0's weights to the trainers of all ranks before their first step. Collective.
  func give(
    to trainer: DataParallelTrainer, _ new: RunConfiguration, _ communicator: Communicator, _ reporter: RunReporter
  ) throws {
    try communicator.requireAlike("--initial", "\(path), step \(header.step)")
    try trainer.begin(with: parameters)
    parameters = nil
    for problem in problems { reporter.log.warning("\(problem); trying the previous one") }
    reporter.log.info("Starting from the weights /\(group) of \(path), step \(header.step).")
    for difference in new.difference(from: configuration) where difference.key.name.hasPrefix("diffusion.") {
      reporter.log.warning(
        "they were trained with \(difference.key.name)=\(difference.theirs); training continues with \(difference.mine)"
      )
    }
  }
}
