import ArgumentParser
import Files
import MessagePassing

/// Which MPI library the program runs with, for scripts that have to choose a launcher: its family and its file.
struct MPILibraryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mpi-library", abstract: "Print the family and the file of the MPI library.", shouldDisplay: false)

  func run() {
    StandardOutput.print("\(MPILibrary.family.rawValue) \(MPILibrary.path ?? "unknown")")
  }
}
