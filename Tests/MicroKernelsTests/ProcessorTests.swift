import Glibc
import MicroKernels
import Testing

@Suite struct ProcessorTests {
  @Test func thisProcessorHasWhatThisBuildUses() {
    #expect(Processor.buildFeatures.isSubset(of: Processor.features))
    #expect(!Processor.buildTarget.isEmpty)
  }

  @Test func theFileOfABuildSaysWhatItNeeds() throws {
    let path = try #require(realpath("/proc/self/exe", nil))
    defer { free(path) }
    // The tests may be in a library, which another program runs.
    let program = String(cString: path)
    let features = ProcessorFeatures(ofBuildAt: program)
    #expect(features == nil || features == Processor.buildFeatures)
    #expect(ProcessorFeatures(ofBuildAt: "/proc/self/maps") == nil)
    #expect(ProcessorFeatures(ofBuildAt: "/bin/sh") == nil)
    #expect(ProcessorFeatures(ofBuildAt: "/none") == nil)
  }

  @Test func featuresHaveNames() {
    #expect("\(ProcessorFeatures([.avx2, .fma]))" == "avx2, fma")
    #expect("\(ProcessorFeatures([]))" == "")
    // All of them fit.
    #expect("\(ProcessorFeatures(rawValue: .max))".hasSuffix("i8mm"))
  }

  @Test(
    arguments: [
      ("processor\t: 0\nmodel name\t: AMD EPYC 9654 96-Core Processor\n", "AMD EPYC 9654 96-Core Processor"),
      ("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\n", "Arm Neoverse V2"),
      ("CPU implementer\t: 0x99\nCPU part\t: 0x001\n", "of implementer 0x99, part 0x001"),
      ("processor\t: 0\nflags\t\t:\n", nil), ("", nil),
    ] as [(String, String?)])
  func namesAreReadFromTheSystemsDescription(lines: String, name: String?) {
    #expect(Processor.modelName(in: lines) == name)
  }
}
