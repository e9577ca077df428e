import ArgumentParser
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
  /// It reports them.
  static var ranksMayRunDifferentBuilds: Bool { true }

  mutating func run(on communicator: Communicator) throws {
    let placement = try RankPlacement(of: communicator, threads: threads)
    let builds = try RankBuilds(of: communicator)
    guard communicator.rank == 0 else { return }
    print("ddpm-mpi \(ProgramVersion.current)")
    print()
    let cores = ProcessInfo.processInfo.activeProcessorCount
    print("processor     \(Processor.modelName ?? "unknown"), \(cores) usable cores")
    print("  it has      \(Processor.features)")
    let features = "\(Processor.buildFeatures)"
    print(
      "  built for   \(Processor.buildTarget)\(features.isEmpty ? "" : " (\(features))"), "
        + "vectors of \(Processor.vectorBits) bits")
    if let installed = InstalledBuilds.own {
      print("  chosen of   \(installed.features.keys.sorted().joined(separator: ", ")), in \(installed.folder)")
    }
    print("  products    by \(MicroKernel.best.name)")
    print("  bfloat16    by \(RoundedKernel.best.name); \(Tiles.state)")
    if let advice = Self.vectorAdvice {
      print("  advice      this build uses AVX-512 for products only; \(advice)")
    }
    print("MPI           \(MPILibrary.name(inVersion: try MPILibrary.version()))")
    print("  library     \(MPILibrary.path ?? "unknown")")
    let hosts = Dictionary(grouping: placement.locations, by: \.host).map { "\($0.key) (\($0.value.count))" }.sorted()
    print("  ranks       \(communicator.size) on \(hosts.joined(separator: ", "))")
    for (ranks, location) in placement.groups {
      let label = ranks.count == 1 ? "rank \(ranks.lowerBound)" : "ranks \(ranks.lowerBound)-\(ranks.upperBound)"
      let count = ProgressFormat.count(location.processors.count, of: "processor")
      let each = count + (ranks.count == 1 ? "" : " each")
      let column = label.padded(to: max(label.count + 1, 12))
      print("  \(column)\(each), \(location.processors) of \(location.host)")
    }
    let kinds = Dictionary(grouping: builds.builds, by: \.processor).map { "\($0.key) (\($0.value.count))" }.sorted()
    if kinds.count > 1 { print("  processors  \(kinds.joined(separator: ", "))") }
    if let difference = builds.difference { print("  advice      rank \(difference.rank): \(difference.message)") }
    if let advice = placement.advice { print("  advice      \(advice)") }
    if communicator.size == 1 { print("  advice      several ranks: mpirun -n RANKS ddpm-mpi doctor") }
    print("HDF5          \(try HDF5Library.version())")
    for name in DatasetCatalog.names where !DatasetCatalog.namesOfOwnData.contains(name) {
      printState(ofDataset: name)
    }
  }

  /// How to get a build with wider vectors; nil if this one has the widest.
  private static var vectorAdvice: String? {
    guard Processor.features.contains(.avx512), Processor.vectorBits < 512 else { return nil }
    guard let installed = InstalledBuilds.own else { return "build on this machine, or with DDPM_MARCH=x86-64-v4" }
    let isWiderInstalled = installed.features.values.contains {
      $0.contains(.avx512) && $0.isSubset(of: Processor.features)
    }
    return isWiderInstalled
      ? "unset DDPM_BUILD" : "install a wider one too: DDPM_MARCH=\"x86-64-v3 x86-64-v4\" scripts/install.sh"
  }

  private func printState(ofDataset name: String) {
    do {
      let dataset = try DatasetCatalog.load(name: name)
      let kind = dataset.fields == nil ? "images" : "fields"
      let shape = "\(dataset.height)x\(dataset.width)x\(dataset.channels)"
      print("data set      \(name): \(ProgressFormat.count(dataset.count)) \(kind) of \(shape)")
    } catch let error as DatasetError where error.location == "data.path" {
      print("data set      \(name): no folder given")
      print("  advice      \(error.advice)")
    } catch let error as DatasetError {
      print("data set      \(name): not usable; \(error.location): \(error.problem)")
      print("  advice      \(error.advice)")
    } catch {
      print("data set      \(name): not usable; \(error)")
    }
  }

  private func print(_ text: String = "") { StandardOutput.print(text) }
}
