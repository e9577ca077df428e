import Datasets
import Failures
import Files
import MessagePassing
import Ranks
import Reporting
import Tensors

/// Converts files of fields to one file that training reads on demand.
package struct FieldPackJob: Sendable {
  /// HDF5, NetCDF-4 or NumPy files, in order.
  package var sources: [String]
  /// The files of test fields.
  package var tests: [String] = []
  package var output: String
  /// The name of the data set; by default the file's.
  package var name: String?
  /// What to read of each file.
  package var selection = FieldSelection()
  /// The names of the channels; nil for those in the files.
  package var names: [String]?
  package var recipe = FieldRecipe()
  /// Whether to replace the output if it exists.
  package var replaces = false
  package var threads = 1

  package init(sources: [String], output: String) {
    self.sources = sources
    self.output = output
  }

  /// Whether a source holds fields rather than images. False if it cannot be read.
  package static func recognises(_ source: String) -> Bool { FieldFile.isRecognised(source) }

  /// Packs in this process alone.
  package func run(communicator: Communicator) throws {
    try Packing.pack(to: output, replaces: replaces, communicator: communicator, pack)
  }

  private func pack(_ reporter: RunReporter) throws {
    let workers = WorkerPool(threadCount: threads)
    func fields(_ files: [String]) throws -> JoinedFields {
      let fields = try JoinedFields(files.map { try FieldFile.open($0, selection) }, names: names)
      for remark in fields.remarks { reporter.log.warning("\(remark)") }
      for axis in fields.axesThatDiffer {
        reporter.log.warning("the coordinates of \(axis) differ between the files, and are left out")
      }
      return fields
    }
    let training = try fields(sources)
    let packer = try FieldPacker(
      name: name ?? withoutEnding(lastPart(ofPath: output)), training: training,
      test: tests.isEmpty ? nil : try fields(tests), recipe: recipe, memory: AvailableMemory.bytes)
    let axes = [(training.coordinates.y, packer.coordinates.y), (training.coordinates.x, packer.coordinates.x)]
    for case (let old?, let new?) in axes where old.name != new.name {
      reporter.log.warning(
        "the coordinates \(old.name) are renamed \(new.name), since drawn fields could not have that name for them")
    }
    var progress = PackProgress(count: packer.readCount, speedUnit: "fields/s")
    let variables = try packer.write(to: output, workers: workers) { progress.show(done: $0, on: reporter) }
    reporter.clear()
    for variable in variables where variable.isConstant {
      reporter.log.warning(
        "\(variable.name) is \(variable.minimum) everywhere, so its standard deviation is 0; leave it out with --variables"
      )
    }
    reporter.message(try summary(packer, variables))
  }

  private func summary(_ packer: FieldPacker, _ variables: [FieldVariable]) throws(FileError) -> String {
    let tests = packer.test.map { " and \(ProgressFormat.count($0.count)) test" } ?? ""
    let noun = tests.isEmpty && packer.training.count == 1 ? "sample" : "samples"
    return "Packed \(ProgressFormat.count(packer.training.count)) training\(tests) \(noun) of "
      + "\(ProgressFormat.dimensions(packer.gridShape)), \(ProgressFormat.count(variables.count, of: "channel")) "
      + "(\(variables.map(\.name).joined(separator: ", "))), into \(output) (\(try sizeText(of: output))).\n"
      + "To see their statistics: ddpm-mpi inspect \(output)"
  }
}
