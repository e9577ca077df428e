import Failures
import MessagePassing
import MicroKernels

/// The code that each rank computes with. Where it differs, so may the last digits of a result, which would then depend
/// on who computed it.
package struct RankBuilds: Sendable {
  /// The code of one rank.
  package struct Build: Codable, Sendable, Equatable {
    package var host: String
    /// The processor's name.
    package var processor: String
    package var processorFeatures: ProcessorFeatures
    /// The processor that the program was built for.
    package var target: String
    /// The instruction sets that the program uses.
    package var features: ProcessorFeatures
    package var cLibraryVersion: String
    /// What is installed beside the program and runs on this processor: the features of each build, by its target.
    package var alternatives: [String: ProcessorFeatures]

    package init(
      host: String, processor: String, processorFeatures: ProcessorFeatures, target: String,
      features: ProcessorFeatures, cLibraryVersion: String, alternatives: [String: ProcessorFeatures] = [:]
    ) {
      self.host = host
      self.processor = processor
      self.processorFeatures = processorFeatures
      self.target = target
      self.features = features
      self.cLibraryVersion = cLibraryVersion
      self.alternatives = alternatives
    }

    /// Whether the C library computes exponentials and the like with fused multiply-adds (glibc's choice at start).
    var hasFusedMathematics: Bool { processorFeatures.isSuperset(of: [.avx2, .fma]) }
  }

  /// In the order of ranks.
  package let builds: [Build]

  package init(_ builds: [Build]) { self.builds = builds }

  /// Gathers the builds of all ranks. Collective.
  package init(of communicator: Communicator) throws {
    builds = try communicator.allGather(encoding: Self.own(host: communicator.processorName))
  }

  /// The code of this rank.
  private static func own(host: String) -> Build {
    let processor = Processor.features
    return Build(
      host: host, processor: Processor.modelName ?? "unknown processor", processorFeatures: processor,
      target: Processor.buildTarget, features: Processor.buildFeatures, cLibraryVersion: Processor.cLibraryVersion,
      alternatives: InstalledBuilds.own?.features.filter { $0.value.isSubset(of: processor) } ?? [:])
  }

  /// Throws if results would depend on the rank that computes them. Collective.
  /// - Throws: `JobFailure` on all ranks, naming both builds and what to do.
  package static func requireAlike(on communicator: Communicator) throws {
    guard communicator.size > 1 else { return }
    let mine = own(host: try communicator.processorName)
    let ofRankZero = try communicator.broadcast(encoding: mine, from: 0)
    let differs = RankBuilds([ofRankZero, mine]).difference != nil
    // The advice takes into account what is installed for all ranks; it is only needed if there is a difference.
    guard try communicator.allReduceMaximum(differs ? 1 : 0) == 1 else { return }
    if let difference = try RankBuilds(of: communicator).difference {
      throw JobFailure(rank: difference.rank, exitStatus: .badInput, message: difference.message)
    }
  }

  /// The first rank whose results may differ from those of rank 0, why, and what to do; nil if there is none.
  package var difference: (rank: Int, message: String)? {
    let first = builds[0]
    for (rank, build) in builds.enumerated().dropFirst() {
      let places = ("\(build.host), \(build.processor)", "\(first.host), \(first.processor)")
      if build.target != first.target || build.features != first.features {
        let names =
          build.target == first.target
          ? ("a build that uses \(build.features)", "one that uses \(first.features)")
          : ("the build for \(build.target)", "that for \(first.target)")
        return (
          rank,
          "it runs \(names.0) (\(places.0)), and rank 0 \(names.1) (\(places.1)), so results would depend on who "
            + "computes them; \(adviceForDifferentBuilds)"
        )
      }
      if build.hasFusedMathematics != first.hasFusedMathematics {
        return (
          rank,
          "only one of its processor (\(places.0)) and that of rank 0 (\(places.1)) has the multiply-adds of AVX2, "
            + "so the C library's results would depend on who computes them; use machines of one kind"
        )
      }
      if build.cLibraryVersion != first.cLibraryVersion {
        return (
          rank,
          "it uses the C library \(build.cLibraryVersion) (\(build.host)), and rank 0 \(first.cLibraryVersion) "
            + "(\(first.host)), so results would depend on who computes them; use machines with the same system, "
            + "or a container"
        )
      }
    }
    return nil
  }

  private var adviceForDifferentBuilds: String {
    guard let common = bestCommonTarget else {
      return "start the same program on all ranks, built for all of their processors: "
        + "DDPM_MARCH=x86-64-v3 scripts/build.sh"
    }
    return "let all ranks run the build for \(common), with DDPM_BUILD=\(common) in their environment "
      + "(Open MPI: mpirun -x DDPM_BUILD=\(common))"
  }

  /// The target of the best build that is installed everywhere and runs on the processors of all ranks.
  package var bestCommonTarget: String? {
    let common = builds.dropFirst().reduce(builds[0].alternatives) { common, build in
      common.filter { build.alternatives[$0.key] == $0.value }
    }
    return common.min { ($1.value.count, $0.key) < ($0.value.count, $1.key) }?.key
  }
}
