import ArgumentParser
import Benchmarking
import Failures
import Files
import Foundation
import MessagePassing

struct Plan: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reckon what training would take on a cluster.",
    usage: """
      ddpm-mpi plan --nodes <n> --cores-per-node <n> --network-gbps <x>
                    [--preset <name>] [--set <key=value> ...]
                    [--ranks-per-node <n>] [--network-latency-us <x>]
                    [--core-network-gbytes <x>] [--memory-gbytes <x>]
                    [--storage-gbytes <x>] [--core-speed <x>] [--json]
      """,
    discussion: """
      Measures the preset's network on this machine for some seconds, and estimates from that, for 1, 2, 4, … nodes: the \
      time of a step, how well it scales, memory, checkpoints and the hours of the whole run. What it measured and what \
      it assumed is printed; docs/scaling.md has the model and how far it was off.

      EXAMPLE
        ddpm-mpi plan --preset cifar10 --nodes 64 --cores-per-node 128 --network-gbps 100
      """)

  @OptionGroup var options: PresetOptions

  @Option(parsing: .unconditional, help: ArgumentHelp("Machines.", valueName: "n"))
  var nodes: Int

  @Option(parsing: .unconditional, help: ArgumentHelp("Physical cores of each.", valueName: "n"))
  var coresPerNode: Int

  @Option(parsing: .unconditional, help: ArgumentHelp("Ranks on each (default: the fastest).", valueName: "n"))
  var ranksPerNode: Int?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The network between machines, in 10^9 bits per second and direction.", valueName: "x"))
  var networkGbps: Double

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("What each message takes besides, in microseconds (default: 5).", valueName: "x"))
  var networkLatencyUs = 5.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      """
      What a core moves through the network if it does nothing else, in 10^9 bytes per second (default: 2, as by TCP; \
      with a network that copies by itself, give 1000).
      """, valueName: "x"))
  var coreNetworkGbytes = 2.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What a node's cores together copy, in 10^9 bytes per second (default: as much per core as here).", valueName: "x"
    ))
  var memoryGbytes: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The file system, in 10^9 bytes per second (default: 1).", valueName: "x"))
  var storageGbytes = 1.0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The cluster's cores, in units of this machine's (default: 1).", valueName: "x"))
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
      throw ValidationError("--ranks-per-node \(ranksPerNode) are more than --cores-per-node \(coresPerNode).")
    }
  }

  var files: CommandFiles { .none }

  mutating func run(on communicator: Communicator) throws {
    guard communicator.size == 1 else {
      throw JobFailure(
        rank: 0, exitStatus: .badInput, message: "plan measures in one process; run it without mpirun or srun")
    }
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
