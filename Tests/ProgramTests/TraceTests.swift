import TestSupport
import Testing

struct TraceTests {
  @Test func aTraceDoesNotDependOnTheRanks() async throws {
    let folder = try TemporaryFolder()
    for ranks in [1, 3] {
      try await ddpm(
        """
        train \(Fixture.tiny) --set training.steps=2 --trace \(folder)/trace-\(ranks).h5 --trace-steps 2
        --output \(folder)/run-\(ranks)
        """, ranks: ranks
      ).succeeds(saying: "Done")
    }
    #expect(try await areEqual(folder.path("trace-1.h5"), folder.path("trace-3.h5")))
    for name in [
      "initial/conv_in.weight", "step-00000001/x0", "step-00000001/t", "step-00000001/noise", "step-00000002/loss",
      "step-00000002/gradients/conv_in.weight", "step-00000002/parameters/conv_in.weight",
    ] {
      #expect(try HDF5Contents.has(name, in: folder.path("trace-3.h5")), "\(name)")
    }
  }

  @Test func aTraceHasTheClasses() async throws {
    _ = try await Fixture.guided.made
    #expect(try HDF5Contents.has("step-00000001/classes", in: Fixture.guidedTrace))
  }
}
