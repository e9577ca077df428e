import ArgumentParser
import Benchmarking
import Files
import FoundationEssentials
import MessagePassing
import Ranks

struct Plan: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Estimate the cost of training on a cluster.",
    usage: """
      ddpm-mpi plan --nodes <n> --cores-per-node <n> --network-gbps <x>
                    [--preset <name>] [--set <key=value> ...]
                    [--ranks-per-node <n>] [--network-latency-us <x>]
                    [--core-network-gbytes <x>] [--memory-gbytes <x>]
                    [--storage-gbytes <x>] [--core-speed <x>] [--json]
      """,
    discussion: """
      Measures the preset's network on this machine for some seconds, or minutes if it is large, and from that \
      estimates for 1, 2, 4, … nodes: the time of a step, how well it scales, memory, checkpoints and the hours of the \
      whole run. It prints what it measured and what it assumed; docs/scaling.md describes the model and its accuracy.

      EXAMPLE
        ddpm-mpi plan --preset cifar10 --nodes 64 --cores-per-node 128 \\
          --network-gbps 100
      """)

  @OptionGroup var options: PresetOptions

  @Option(number: "Number of machines.")
  var nodes: Int

  @Option(number: "Physical cores per machine.")
  var coresPerNode: Int

  @Option(number: "Ranks per machine (default: the fastest).")
  var ranksPerNode: Int?

  @Option(number: "Network bandwidth between machines, in 10^9 bits per second and direction.", valueName: "x")
  var networkGbps: Double

  @Option(number: "Latency of a message, in microseconds.", valueName: "x")
  var networkLatencyUs = 5.0

  @Option(
    number: """
      Data that a core moves through the network if it does nothing else, in 10^9 bytes per second. The default is for \
      TCP; for a network that copies data without the processor, give 1000.
      """, valueName: "x")
  var coreNetworkGbytes = 2.0

  @Option(
    number: """
      Copy speed of all cores of a machine together, in 10^9 bytes per second (default: as much per core as here).
      """,
    valueName: "x")
  var memoryGbytes: Double?

  @Option(number: "Bandwidth of the file system, in 10^9 bytes per second.", valueName: "x")
  var storageGbytes = 1.0

  @Option(number: "Speed of the cluster's cores, relative to this machine's.", valueName: "x")
  var coreSpeed = 1.0

  @Flag(help: "Print one line of JSON.")
  var json = false

  func validate() throws {
    try require("--nodes", nodes, in: OptionRange.batch)
    try require("--cores-per-node", coresPerNode, in: OptionRange.threads)
    try require("--ranks-per-node", ranksPerNode, in: OptionRange.threads)
    for (name, value) in [
      ("--network-gbps", networkGbps), ("--storage-gbytes", storageGbytes), ("--core-speed", coreSpeed),
      ("--memory-gbytes", memoryGbytes ?? 1), ("--core-network-gbytes", coreNetworkGbytes),
    ] where !(1e-6...1e9).contains(value) {
      throw ValidationError("\(name) is \(value); it must be from 1e-6 to 1e9.")
    }
    if !(0...1e9).contains(networkLatencyUs) {
      throw ValidationError("--network-latency-us is \(networkLatencyUs); it must be from 0 to 1e9.")
    }
    if let ranksPerNode, ranksPerNode > coresPerNode {
      throw ValidationError("--ranks-per-node \(ranksPerNode) is more than --cores-per-node \(coresPerNode).")
    }
  }

  var files: CommandFiles { .none }

  mutating func run(on communicator: Communicator) throws {
    try requireOneProcess("plan", communicator)
    var request = TrainingPlan.Request(preset: options.preset)
    request.settings = options.settings
    request.nodes = nodes
    request.coresPerNode = coresPerNode
    request.ranksPerNode = ranksPerNode
    request.networkGigabits = networkGbps
    request.latency = networkLatencyUs
    request.storageGigabytes = storageGbytes
    request.memoryGigabytes = memoryGbytes
    request.coreNetworkGigabytes = coreNetworkGbytes
    request.coreSpeed = coreSpeed
    let result = try TrainingPlan(request).run(communicator: communicator)
    if json { try printJSON(result) } else { StandardOutput.print(result.text) }
  }
}
