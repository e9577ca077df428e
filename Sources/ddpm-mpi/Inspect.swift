import ArgumentParser
import Checkpoints
import Datasets
import Files
import Inference
import MessagePassing
import Packing

struct Inspect: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the contents of a checkpoint or of packed images or fields, and verify them.",
    discussion: """
      Reads every tensor, image or field and verifies its checksum. If anything is wrong, the exit status is 4 for a \
      checkpoint and 2 for images and fields.
      """)

  @Argument(help: ArgumentHelp("A checkpoint, or a file written by `ddpm-mpi pack`.", valueName: "file.h5"))
  var file: String

  var files: CommandFiles { .none }

  mutating func run(on communicator: Communicator) throws {
    try communicator.onRankZero {
      if PackedImages.areIn(file) { return try inspectImages() }
      if PackedFields.areIn(file) { return try inspectFields() }
      let inspection = try CheckpointInspection(path: file)
      let header = inspection.header
      let fields = header.fields == nil ? nil : try OpenCheckpoint(file).details.fields
      tell("\(file)")
      let seen = "\(header.images) \(fields == nil ? "images" : "fields") seen"
      tell("step \(header.step), \(seen), format \(CheckpointHeader.formatVersion)")
      tell(header.classCount.map { "classifier of \($0) classes" } ?? header.kind.rawValue)
      let shape = header.imageShape.map(String.init).joined(separator: "x")
      tell(fields.map { "fields of \(shape), normalisation \($0.normalisation.rawValue)" } ?? "images of \(shape)")
      if let fields {
        let uses = fields.variables.map { _ in "drawn" } + fields.conditions.map { _ in "given" }
        for line in FieldTable.lines(fields.variables + fields.conditions, uses: uses) { tell(line) }
      }
      if let fingerprint = header.dataFingerprint { tell("data set of fingerprint \(fingerprint)") }
      for group in inspection.groups {
        let state = group.damaged.isEmpty ? "whole" : "DAMAGED: \(group.damaged.joined(separator: ", "))"
        tell("/\(group.path): \(group.tensorCount) tensors, \(group.elementCount) numbers, \(state)")
      }
      tell("configuration:")
      for line in header.configuration.split(separator: "\n") { tell("  \(line)") }
      let damaged = inspection.groups.flatMap(\.damaged)
      if !damaged.isEmpty {
        let which = damaged.count == 1 ? "tensor \(damaged[0]) is" : "\(damaged[0]) and \(damaged.count - 1) more are"
        throw CheckpointError(path: file, problem: "\(which) damaged: the checksum does not match")
      }
    }
  }

  private func inspectImages() throws {
    let inspection = try PackedFileInspection(path: file)
    tell("\(file)")
    tell("data set \(inspection.name), images of \(inspection.imageShape.map(String.init).joined(separator: "x"))")
    let classes = inspection.classNames
    tell(classes.isEmpty ? "no classes" : "\(classes.count) classes: \(classes.joined(separator: ", "))")
    for part in inspection.parts {
      let damaged = part.damaged.map { "\($0.index)" }.joined(separator: ", ")
      tell("/\(part.name): \(part.count) images, \(damaged.isEmpty ? "whole" : "DAMAGED: \(damaged)")")
    }
    if let first = inspection.parts.flatMap(\.damaged).first { throw first.error }
  }

  private func inspectFields() throws {
    let inspection = try PackedFieldsInspection(path: file)
    let fields = inspection.fields
    tell("\(file)")
    tell("data set \(fields.name), fields of \(fields.fieldShape.map(String.init).joined(separator: "x"))")
    for axis in [fields.coordinates.y, fields.coordinates.x].compactMap(\.self) {
      guard let first = axis.values.first, let last = axis.values.last else { continue }
      let line = "\(axis.name) from \(first) to \(last)\(axis.units.isEmpty ? "" : " \(axis.units)")"
      tell(line.printableOnOneLine)
    }
    for line in inspection.table { tell(line) }
    for part in inspection.parts {
      let damaged = part.damaged.map { "\($0.index)" }.joined(separator: ", ")
      tell("/\(part.name): \(part.count) samples, \(damaged.isEmpty ? "whole" : "DAMAGED: \(damaged)")")
    }
    if let first = inspection.parts.flatMap(\.damaged).first { throw first.error }
  }

  /// Names and texts from a file must not control the terminal.
  private func tell(_ text: String) { StandardOutput.print(text) }
}
