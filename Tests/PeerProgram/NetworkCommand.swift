import ArgumentParser
import Diffusion
import Foundation
import Inference
import Interchange
import MessagePassing
import Tensors

struct NetworkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "network",
    abstract: "What a checkpoint's network says of images [N, H, W, C]; writes the tensor output.",
    discussion: "The classes are numbers from 0; a negative one is none.")

  @Argument(help: "The checkpoint, or its run's folder.") var checkpoint: String
  @Argument(help: "A safetensors file with images, times [N] and, for a network with classes, classes [N].")
  var input: String
  @Argument(help: "The safetensors file to write.") var output: String
  @Option var weights = "ema"

  func run() throws {
    try MPISession.initialise()
    let (model, _, _) = try CheckpointLookup.newest(at: checkpoint, option: "CHECKPOINT") {
      try TrainedModel(reading: $0, weights: weights == "model" ? .model : .ema)
    }
    let file = try Safetensors(readingFrom: input)
    guard let shape = file["images"]?.shape else {
      throw InterchangeError(input, "has no images", advice: "store them as [N, H, W, C]")
    }
    let network = model.denoiser().network
    let classes = file["classes"] == nil ? nil : try file.floats("classes").map { $0 < 0 ? nil : Int($0) }
    let result = network.output(
      Tensor(try file.floats("images"), shape: shape), times: try file.floats("times"),
      conditions: Conditions(classes: classes))
    try Safetensors.contents(of: [.init("output", shape: result.shape, result.elements)])
      .write(to: URL(fileURLWithPath: output))
    try MPISession.finalise()
  }
}
