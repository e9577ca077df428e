import ArgumentParser
import Checkpoints
import Configuration
import Inference
import Jobs
import MessagePassing

struct Inspect: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell what a checkpoint holds, and whether it is whole.",
    discussion: "Reads every tensor and compares its checksum. Exit status 4 if anything is wrong.")

  @Argument(help: ArgumentHelp("The checkpoint.", valueName: "file.h5"))
  var file: String

  mutating func run(on communicator: Communicator) throws {
    try communicator.together {
      guard communicator.rank == 0 else { return }
      let inspection = try CheckpointInspection(path: file)
      let header = inspection.header
      print("\(file)")
      print("step \(header.step), \(header.images) images seen, format \(CheckpointHeader.formatVersion)")
      print(header.classCount.map { "classifier of \($0) classes" } ?? header.kind.rawValue)
      print("images of \(header.imageShape.map(String.init).joined(separator: "x"))")
      for group in inspection.groups {
        let state = group.damaged.isEmpty ? "whole" : "DAMAGED: \(group.damaged.joined(separator: ", "))"
        print("/\(group.path): \(group.tensorCount) tensors, \(group.elementCount) numbers, \(state)")
      }
      print("configuration:")
      for line in header.configuration.split(separator: "\n") { print("  \(line)") }
      let damaged = inspection.groups.flatMap(\.damaged)
      if !damaged.isEmpty {
        let which = damaged.count == 1 ? "tensor \(damaged[0]) is" : "\(damaged[0]) and \(damaged.count - 1) more are"
        throw CheckpointError(path: file, problem: "\(which) damaged: the checksum does not match")
      }
    }
  }
}
