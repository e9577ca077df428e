import MessagePassing
import Testing

extension StorageTests {
  @Suite struct MPILibraryTests {
    @Test(
      arguments: [
        ("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4", .openMPI, "Open MPI v4.1.4", false),
        ("MPICH Version:      4.0.2\nMPICH Release date: Thu Apr  7 12:34:45 CDT 2022\n", .mpich, "MPICH 4.0.2", true),
        ("MPICH Version:      4.2.0\nMPICH Release date: Fri Feb  9\n", .mpich, "MPICH 4.2.0", false),
        ("MPICH Version:\t5.0.2\nMPICH Release date:\tFri Sep 25\n", .mpich, "MPICH 5.0.2", false),
        ("MPICH Version:      4.1.2\nMPICH CC:\t/apps/Intel/oneapi/bin/icx    -O2\n", .mpich, "MPICH 4.1.2", true),
        (
          "Intel(R) MPI Library 2021.19 for Linux* OS\n", .intel, "Intel(R) MPI Library 2021.19 for Linux* OS", false
        ),
      ] as [(String, MPILibrary.Family, String, Bool)])
    func librariesAreRecognisedByWhatTheySayOfThemselves(
      version: String, family: MPILibrary.Family, name: String, mustFinaliseTogether: Bool
    ) {
      #expect(MPILibrary.Family(version: version) == family)
      #expect(MPILibrary.name(inVersion: version) == name)
      #expect(MPILibrary.mustFinaliseTogether(version: version) == mustFinaliseTogether)
    }

    @Test func theProcessKnowsItsLibrary() {
      #expect(MPILibrary.path?.contains("libmpi") == true)
    }
  }
}
