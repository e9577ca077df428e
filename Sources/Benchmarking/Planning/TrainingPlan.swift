import Configuration
import Failures
import Kernels
import MessagePassing
import Network
import Reporting
import Tensors

/// The estimated cost of training a preset on a cluster, from this machine's speed.
package struct TrainingPlan {
  /// The request of the command line.
  package struct Request: Sendable {
    package var preset: String
    /// `key=value` pairs of the model and of training.
    package var settings: [String] = []
    package var nodes = 1
    package var coresPerNode = 1
    /// nil for the fastest number.
    package var ranksPerNode: Int?
    /// In 10⁹ bits per second and direction.
    package var networkGigabits = 1.0
    /// The fraction of the bandwidth that a program can use.
    package var networkEfficiency = 0.94
    /// In microseconds.
    package var latency = 5.0
    /// The rate in 10⁹ bytes per second at which a core sends or receives if it does nothing else; about this for TCP.
    package var coreNetworkGigabytes = 2.0
    /// 10⁹ bytes per second.
    package var storageGigabytes = 1.0
    /// The combined copying rate of a node's cores, in 10⁹ bytes per second; nil for the same rate per core as here.
    package var memoryGigabytes: Double?
    /// The speed of the cluster's cores relative to this machine's.
    package var coreSpeed = 1.0

    package init(preset: String) { self.preset = preset }
  }

  /// The estimate for one number of machines.
  package struct Row: Sendable, Encodable {
    package let nodes: Int
    package let ranksPerNode: Int
    package let threads: Int
    package let microBatch: Int
    package let secondsPerStep: Double
    package let imagesPerSecond: Double
    /// Images per second and machine, relative to one machine.
    package let efficiency: Double
    package let computeSeconds: Double
    package let networkSeconds: Double
    package let exposedSeconds: Double
    package let hours: Double
    package let bytesPerRank: Int
    package let messagesPerRank: Int
    package let largestMessageBytes: Int
  }

  package struct Result: Sendable, Encodable {
    package let preset: String
    package let settings: [String]
    package let batch: Int
    package let steps: Int
    package let parameters: Int
    package let rows: [Row]
    package let checkpointBytes: Int
    package let checkpointSeconds: Double
    package let checkpointPauseSeconds: Double
    /// The measurements and assumptions, as text.
    package let basis: [String]
  }

  private let request: Request
  private let configuration: RunConfiguration
  private let network: UNet
  private let imageShape: [Int]

  /// - Throws: `ConfigurationError` for keys and values, `InputError` for inconsistent numbers.
  package init(_ request: Request) throws {
    self.request = request
    configuration = try ConfigurationSources(preset: request.preset, settings: request.settings).resolve()
    guard configuration.data.conditions.isEmpty else {
      throw InputError(
        "data.conditions is set, but a plan is for networks without given channels; leave it out: they add little to a step"
      )
    }
    guard let shape = try Presets.named(request.preset).imageShape(for: configuration) else {
      throw InputError("the size of the images of data.name \(configuration.data.name) is not known without its files")
    }
    imageShape = shape
    network = try configuration.network(height: shape[0], width: shape[1], channels: shape[2])
    guard request.nodes <= configuration.training.batch else {
      throw InputError(
        "--nodes \(request.nodes) is more than the \(configuration.training.batch) images of a batch; "
          + "use fewer, or a larger training.batch")
    }
  }

  /// Measures this machine and estimates the rest. For one process.
  package func run(communicator: Communicator) throws -> Result {
    var alone = configuration
    alone.training.batch = configuration.training.microBatch
    try alone.trainingMemory(network.layout, network.configuration, rankCount: 1).require(.alone)
    let measured = try MachineMeasurement(
      configuration: alone, network: network, imageShape: imageShape, communicator: communicator
    ).run()
    return try result(measured)
  }

  func result(_ measured: ClusterModel.Machine) throws -> Result {
    var machine = measured
    for path in [\ClusterModel.Machine.forward, \.backward] {
      machine[keyPath: path].perPass /= request.coreSpeed
      machine[keyPath: path].perImage /= request.coreSpeed
    }
    machine.updateSecondsPerFloat /= request.coreSpeed
    machine.copiedBytesPerSecond *= request.coreSpeed
    machine.allCoresCopiedBytesPerSecond = copiedBytesPerNode(measured)
    let training = configuration.training
    let model = ClusterModel(
      machine: machine,
      network: .init(
        bytesPerSecond: request.networkGigabits * 1e9 / 8 * request.networkEfficiency,
        latency: request.latency * 1e-6,
        bytesPerCoreSecond: request.coreNetworkGigabytes * 1e9 * request.coreSpeed,
        storageBytesPerSecond: request.storageGigabytes * 1e9),
      workload: .init(
        arenaCount: network.layout.arenaCount, batch: training.batch, microBatch: training.microBatch,
        averageCount: training.emaDecays.count, wireBytes: training.wire == .bfloat16 ? 2 : 4,
        overlaps: training.overlap, releasesGradients: training.releasesGradients))
    let counts = ScalingBenchmark.rankCounts(upTo: request.nodes)
    let predictions = counts.compactMap {
      model.best(nodes: $0, coresPerNode: request.coresPerNode, ranksPerNode: request.ranksPerNode)
    }
    guard let first = predictions.first, let last = predictions.last, last.arrangement.grid.nodeCount == request.nodes
    else {
      throw InputError(
        "training.batch \(training.batch) does not have a micro-batch for each of \(request.nodes) x "
          + "\(request.ranksPerNode ?? 1) ranks; use fewer ranks, or a larger training.batch")
    }
    return Result(
      preset: request.preset, settings: request.settings, batch: training.batch, steps: training.steps,
      parameters: network.layout.parameterCount,
      rows: predictions.map { row($0, first, steps: training.steps) }, checkpointBytes: last.checkpointBytes,
      checkpointSeconds: last.checkpointSeconds, checkpointPauseSeconds: last.checkpointPause, basis: basis(measured))
  }

  private func copiedBytesPerNode(_ machine: ClusterModel.Machine) -> Double {
    request.memoryGigabytes.map { $0 * 1e9 }
      ?? machine.allCoresCopiedBytesPerSecond / Double(ProcessorSet.usable.count) * Double(request.coresPerNode)
      * request.coreSpeed
  }

  private func row(_ prediction: ClusterModel.Forecast, _ first: ClusterModel.Forecast, steps: Int) -> Row {
    let grid = prediction.arrangement.grid
    return Row(
      nodes: grid.nodeCount, ranksPerNode: grid.slotCount, threads: prediction.arrangement.threads,
      microBatch: prediction.arrangement.microBatch, secondsPerStep: prediction.stepSeconds,
      imagesPerSecond: prediction.imagesPerSecond,
      efficiency: prediction.imagesPerSecond / Double(grid.nodeCount) / first.imagesPerSecond,
      computeSeconds: prediction.computeSeconds, networkSeconds: prediction.networkSeconds,
      exposedSeconds: prediction.exposedSeconds, hours: prediction.stepSeconds * Double(steps) / 3600,
      bytesPerRank: prediction.bytesPerRank, messagesPerRank: prediction.messagesPerRank,
      largestMessageBytes: prediction.largestMessage)
  }

  private func basis(_ machine: ClusterModel.Machine) -> [String] {
    func milliseconds(_ seconds: Double) -> String { ProgressFormat.decimal(seconds * 1e3, places: 1) }
    let share = ProgressFormat.decimal(100 * machine.serialShare, places: 1)
    let cores = ProcessorSet.usable.count
    let copies = ProgressFormat.decimal(machine.copiedBytesPerSecond * 1e-9, places: 1)
    let together = ProgressFormat.decimal(machine.allCoresCopiedBytesPerSecond * 1e-9, places: 1)
    return [
      "Measured here, \(cores == 1 ? "on its only core" : "with all \(cores) cores at work"):",
      "  forward \(milliseconds(machine.forward.perPass)) ms + \(milliseconds(machine.forward.perImage)) ms per image, "
        + "backward \(milliseconds(machine.backward.perPass)) ms + \(milliseconds(machine.backward.perImage)) ms per image",
      "  \(share)% of this time does not shrink with more threads (measured with \(cores))",
      "  a core copies \(copies) GB/s, all together \(together) GB/s",
      "Assumed:",
      "  cores \(ProgressFormat.shortDecimal(request.coreSpeed)) times as fast as these, which together copy "
        + "\(ProgressFormat.shortDecimal(copiedBytesPerNode(machine) * 1e-9)) GB/s on a node",
      "  network of \(ProgressFormat.shortDecimal(request.networkGigabits)) Gbit/s each way, "
        + "\(ProgressFormat.shortDecimal(request.networkEfficiency * 100))% of it usable, and "
        + "\(ProgressFormat.shortDecimal(request.latency)) microseconds per message",
      "  a core that does nothing else moves \(ProgressFormat.shortDecimal(request.coreNetworkGigabytes)) GB/s through it; "
        + "storage takes \(ProgressFormat.shortDecimal(request.storageGigabytes)) GB/s",
    ]
  }
}

extension TrainingPlan.Row {
  /// The memory to request for each thread: a quarter more than computed, and for each rank 512 MiB for libraries,
  /// messages and small data sets.
  fileprivate var mebibytesPerThread: Int {
    let mebibytes = bytesPerRank / 4 * 5 / (1 << 20) + 512
    return (mebibytes + threads - 1) / threads
  }
}

extension TrainingPlan.Result {
  /// The result for users.
  package var text: String {
    guard let last = rows.last else { return "" }
    let headings = [
      "nodes", "ranks x threads", "at once", "s/step", "images/s", "efficiency", "waits", "GiB/rank", "whole run",
    ]
    let cells = rows.map { row in
      [
        "\(row.nodes)", "\(row.ranksPerNode) x \(row.threads)", "\(row.microBatch)",
        ProgressFormat.decimal(row.secondsPerStep, places: 3), ProgressFormat.rate(row.imagesPerSecond),
        ProgressFormat.decimal(100 * row.efficiency, places: 1) + "%",
        ProgressFormat.decimal(100 * row.exposedSeconds / row.secondsPerStep, places: 1) + "%",
        ProgressFormat.decimal(Double(row.bytesPerRank) / Double(1 << 30), places: 2),
        ProgressFormat.duration(seconds: row.hours * 3600),
      ]
    }
    let what = ([preset] + settings).joined(separator: " ")
    let sums =
      last.messagesPerRank == 0
      ? ""
      : "\nA rank sends \(ProgressFormat.count(last.messagesPerRank)) messages of at most "
        + "\(ProgressFormat.bytes(last.largestMessageBytes)) over the network in a step."
    return """
      \(what): \(ProgressFormat.count(parameters)) parameters, batches of \(batch) images, \
      \(ProgressFormat.count(steps)) steps
      \(basis.joined(separator: "\n"))

      \(textTable([headings] + cells))

      Ranks and threads are per node, "at once" is the number of images in a micro-batch, and "waits" is the share
      of a step in which computation waits for messages or loses time to them.\(sums)
      A checkpoint has \(ProgressFormat.bytes(checkpointBytes)). Saving takes \
      \(ProgressFormat.shortDecimal(checkpointSeconds)) s in the background and pauses training for \
      \(ProgressFormat.decimal(checkpointPauseSeconds, places: 4)) s.
      On \(ProgressFormat.count(last.nodes, of: "node")): --ntasks-per-node=\(last.ranksPerNode) \
      --cpus-per-task=\(last.threads) --mem-per-cpu=\(last.mebibytesPerThread)M, and \
      --set training.micro_batch=\(last.microBatch)
      """
  }
}
