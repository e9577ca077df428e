import Failures
import MessagePassing
import Testing

extension StorageTests {
  /// Properties that can be tested without a launcher; `rank-checks` tests the rest.
  @Suite(.serialized) struct SessionTests {
    @Test func aProcessWithoutLauncherIsAJobOfOneRank() throws {
      let world = try MPISession.initialise()
      #expect(world.rank == 0)
      #expect(world.size == 1)
      #expect(MPISession.isInitialised)
      #expect(try MPISession.initialise().size == 1)
      #expect(try MPILibrary.version().contains("MPI"))
    }

    @Test func agreementOfASingleRankThrowsItsFailure() throws {
      let world = try MPISession.initialise()
      #expect(try world.together { 3 } == 3)
      #expect(throws: JobFailure(rank: 0, exitStatus: .badInput, message: "the disk is full")) {
        try world.together { throw InputError("the disk is full") }
      }
      #expect(JobFailure(rank: 3, exitStatus: .failure, message: "no").description == "rank 3: no")
    }
  }
}
