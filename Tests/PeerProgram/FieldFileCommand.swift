import ArgumentParser
import HDF5
import Inference
import MessagePassing
import Tensors

struct FieldFileCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "field-file",
    abstract: "Writes fields of 3 x 4 points with two variables into one file, by all ranks.",
    discussion: "Field f has the value 100 f + 10 y + x in `wind u`, and half of it in `T`.")

  @Argument(help: "The file to write.") var output: String
  @Option(help: "The number of samples or conditions.") var count: Int
  @Option(help: "The number of members of each condition.") var members: Int?

  func run() throws {
    let communicator = try MPISession.initialise()
    let writer = try FieldWriter(
      output, variables: [.init("wind u", units: "m s-1", longName: "wind towards the east"), .init("T", units: "K")],
      shape: [3, 4], count: count, members: members, first: 5,
      axes: [.init("latitude", coordinates: [50, 50.5, 51], units: "degrees_north"), .init("x")],
      communicator: communicator)
    for index in communicator.share(of: count * (members ?? 1)) {
      let values = (0..<12).flatMap { point in
        let value = Float(100 * index + 10 * (point / 4) + point % 4)
        return [value, value / 2]
      }
      try writer.write(Tensor(values, shape: [1, 3, 4, 2]), at: index..<index + 1)
    }
    try writer.finish { file in try file.writeAttribute("title", "fields of rank \u{2192} file") }
    try MPISession.finalise()
  }
}
