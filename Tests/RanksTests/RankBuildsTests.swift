import MicroKernels
import Ranks
import Testing

@Suite struct RankBuildsTests {
  private static let old: ProcessorFeatures = [.avx2, .fma]
  private static let new: ProcessorFeatures = [.avx2, .fma, .avx512]
  /// As installed for both kinds of processors.
  private static let installed = ["x86-64-v3": old, "x86-64-v4": new]

  private static let newRank = RankBuilds.Build(
    host: "node1", processor: "New Xeon", processorFeatures: new, target: "x86-64-v4", features: new,
    cLibraryVersion: "2.36", alternatives: installed)
  private static let oldRank = RankBuilds.Build(
    host: "node2", processor: "Old Xeon", processorFeatures: old, target: "x86-64-v3", features: old,
    cLibraryVersion: "2.36", alternatives: ["x86-64-v3": old])

  @Test func ranksWithTheSameCodeMayHaveDifferentProcessors() {
    var sameBuild = Self.newRank
    sameBuild.target = "x86-64-v3"
    sameBuild.features = Self.old
    #expect(RankBuilds([Self.oldRank, sameBuild, Self.oldRank]).difference == nil)
    #expect(RankBuilds([Self.newRank]).difference == nil)
  }

  @Test func differentBuildsAreNamedWithTheBestCommonOne() throws {
    let builds = RankBuilds([Self.newRank, Self.newRank, Self.oldRank])
    let difference = try #require(builds.difference)
    #expect(difference.rank == 2)
    #expect(
      difference.message
        == "it runs the build for x86-64-v3 (node2, Old Xeon), and rank 0 that for x86-64-v4 (node1, New Xeon), so "
        + "results would depend on who computes them; let all ranks run the build for x86-64-v3, with "
        + "DDPM_BUILD=x86-64-v3 in their environment (Open MPI: mpirun -x DDPM_BUILD=x86-64-v3)")
  }

  @Test func commonBuildIsTheOneWithMostFeatures() {
    var (first, second) = (Self.newRank, Self.newRank)
    first.alternatives = ["x86-64-v2": [], "x86-64-v3": Self.old, "first": Self.new]
    second.alternatives = ["x86-64-v2": [], "x86-64-v3": Self.old, "second": Self.new]
    #expect(RankBuilds([first, second]).bestCommonTarget == "x86-64-v3")
    // Different programs may have the same name.
    second.alternatives["x86-64-v3"] = Self.new
    #expect(RankBuilds([first, second]).bestCommonTarget == "x86-64-v2")
    second.alternatives = [:]
    #expect(RankBuilds([first, second]).bestCommonTarget == nil)
  }

  @Test func differentProgramFilesOfTheSameNameAreNamedByWhatTheyUse() throws {
    var (first, second) = (Self.newRank, Self.oldRank)
    (first.target, second.target) = ("native", "native")
    (first.alternatives, second.alternatives) = ([:], [:])
    let message = try #require(RankBuilds([first, second]).difference).message
    #expect(message.contains("it runs a build that uses avx2, fma (node2, Old Xeon), and rank 0 one that uses avx2"))
    #expect(message.hasSuffix("DDPM_MARCH=x86-64-v3 scripts/build.sh"))
  }

  @Test func otherCLibrariesAndTheirChoicesAreDifferences() throws {
    var other = Self.newRank
    other.cLibraryVersion = "2.34"
    #expect(
      try #require(RankBuilds([Self.newRank, other]).difference).message
        == "it uses the C library 2.34 (node1), and rank 0 2.36 (node1), so results would depend on who computes them; "
        + "use machines with the same system, or a container")
    other = Self.newRank
    other.processorFeatures = .avx512
    let message = try #require(RankBuilds([Self.newRank, other]).difference).message
    #expect(message.contains("has the multiply-adds of AVX2"))
  }

  @Test func onlyBuildsInTheInstalledPlacesAreInstalledTogether() {
    for path in ["/opt/bin/ddpm-mpi", "/opt/libexec/other/x86-64-v3/ddpm-mpi", "/opt/libexec/ddpm-mpi/v3/rank-checks"] {
      #expect(InstalledBuilds(program: path) == nil)
    }
    #expect(InstalledBuilds.own == nil)
  }
}
