import ArgumentParser
import Configuration
import Datasets
import Files
import FoundationEssentials
import HDF5
import Inference
import MessagePassing
import MicroKernels
import Ranks
import Reporting
import TextFormatting

struct Doctor: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Check the processor, libraries and data sets of this machine.")

  @Option(number: "Threads per rank to check for.")
  var threads = 1

  func validate() throws {
    try require("--threads", threads, in: OptionRange.threads)
  }

  var files: CommandFiles { .none }

  mutating func run(on communicator: Communicator) throws {
    let placement = try RankPlacement(of: communicator, threads: threads)
    guard communicator.rank == 0 else { return }
    print("ddpm-mpi \(ProgramVersion.current)")
    print()
    let cores = ProcessInfo.processInfo.activeProcessorCount
    print("processor     \(Processor.modelName ?? "unknown"), \(cores) usable cores")
    print("  it has      \(Processor.features)")
    print("  built for   \(Processor.buildFeatures), vectors of \(Processor.vectorBits) bits")
    print("  products    by \(MicroKernel.best.name)")
    if Processor.features.contains("avx512f") && Processor.vectorBits < 512 {
      print(
        "  advice      this build uses AVX-512 for products only; build on this machine, or with DDPM_MARCH=x86-64-v4")
    }
    print("MPI           \(try MPISession.libraryVersion().split(separator: ",").first ?? "")")
    let hosts = Dictionary(grouping: placement.locations, by: \.host).map { "\($0.key) (\($0.value.count))" }.sorted()
    print("  ranks       \(communicator.size) on \(hosts.joined(separator: ", "))")
    for (ranks, location) in placement.groups {
      let label = ranks.count == 1 ? "rank \(ranks.lowerBound)" : "ranks \(ranks.lowerBound)-\(ranks.upperBound)"
      let count = ProgressFormat.count(location.processors.count, of: "processor")
      let each = count + (ranks.count == 1 ? "" : " each")
      let column = label.padded(to: max(label.count + 1, 12))
      print("  \(column)\(each), \(location.processors) of \(location.host)")
    }
    if let advice = placement.advice { print("  advice      \(advice)") }
    if communicator.size == 1 { print("  advice      several ranks: mpirun -n RANKS ddpm-mpi doctor") }
    print("HDF5          \(try HDF5Library.version()), parallel")
    for name in DatasetCatalog.names where !DatasetCatalog.namesOfOwnData.contains(name) {
      printState(ofDataset: name)
    }
  }

  private func printState(ofDataset name: String) {
    do {
      let dataset = try DatasetCatalog.load(name: name)
      let kind = dataset.fields == nil ? "images" : "fields"
      print("data set      \(name): \(dataset.count) \(kind) of \(dataset.height)x\(dataset.width)x\(dataset.channels)")
    } catch let error as DatasetError {
      print("data set      \(name): not usable; \(error.location): \(error.problem)")
      print("  advice      \(error.advice)")
    } catch {
      print("data set      \(name): not usable; \(error)")
    }
  }

  private func print(_ text: String = "") { StandardOutput.print(text) }
}
