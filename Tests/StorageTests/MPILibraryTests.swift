import MessagePassing
import Testing

extension StorageTests {
  @Suite struct MPILibraryTests {
    @Test(
      arguments: [
        ("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4", .openMPI, "Open MPI v4.1.4"),
        ("MPICH Version:      4.0.2\nMPICH Release date: Thu Apr  7 12:34:45 CDT 2022\n", .mpich, "MPICH 4.0.2"),
        ("MPICH Version:\t5.0.2\nMPICH Release date:\tFri Sep 25\n", .mpich, "MPICH 5.0.2"),
        ("Intel(R) MPI Library 2021.19 for Linux* OS\n", .intel, "Intel(R) MPI Library 2021.19 for Linux* OS"),
      ] as [(String, MPILibrary.Family, String)])
    func librariesAreRecognisedByWhatTheySayOfThemselves(version: String, family: MPILibrary.Family, name: String) {
      #expect(MPILibrary.Family(version: version) == family)
      #expect(MPILibrary.name(inVersion: version) == name)
    }

    @Test func theLoadedFileIsFoundByAnAddress() {
      let maps = """
        55d0c0a00000-55d0c0a01000 r--p 00000000 08:01 77                         /opt/a program
        7f1200001000-7f1200005000 r-xp 00001000 08:01 1234                       /usr/lib/libmpi.so.40.30.4
        7f1200005000-7f1200006000 rw-p 00000000 00:00 0
        """
      #expect(MPILibrary.file(atAddress: 0x7f12_0000_1000, inMaps: maps) == "/usr/lib/libmpi.so.40.30.4")
      #expect(MPILibrary.file(atAddress: 0x7f12_0000_4fff, inMaps: maps) == "/usr/lib/libmpi.so.40.30.4")
      #expect(MPILibrary.file(atAddress: 0x55d0_c0a0_0010, inMaps: maps) == "/opt/a program")
      #expect(MPILibrary.file(atAddress: 0x7f12_0000_5000, inMaps: maps) == nil)
      #expect(MPILibrary.file(atAddress: 1, inMaps: maps) == nil)
    }

    @Test func theProcessKnowsItsLibrary() {
      #expect(MPILibrary.path?.contains("libmpi") == true)
    }
  }
}
