import Checkpoints
import Configuration
import DataParallel
import Diffusion
import Files
import HDF5
import MessagePassing
import Ranks
import Tensors

/// Records the first steps of a run so that they can be replayed in another framework: the initial parameters, and for
/// each step the images x0, the time steps t, the noise, what the network is given (classes, conditions), the loss, the
/// averaged gradients before clipping and the parameters after the update. Every rank writes its part; images are in
/// the order of the global batch.
final class TraceRecorder: StepObserver {
  private let output: SharedOutput
  private let communicator: Communicator
  private let configuration: RunConfiguration
  private let imageShape: [Int]
  private let conditionChannels: Int
  let stepCount: Int

  /// - Parameters:
  ///   - path: the file; an existing one is replaced when the trace is complete.
  ///   - stepCount: the number of steps to record.
  ///   - imageShape: [H, W, C], without the given channels.
  ///   - trainer: its parameters before the first step are written under `/initial`.
  init(
    path: String, stepCount: Int, imageShape: [Int], conditionChannels: Int, trainer: DataParallelTrainer,
    configuration: RunConfiguration, communicator: Communicator
  ) throws {
    // The parameters, and for each step images, noise, conditions, gradients and parameters.
    let pixels = Double(configuration.training.batch) * Double(imageShape[0] * imageShape[1])
    let images = pixels * (2 * Double(imageShape[2]) + Double(conditionChannels))
    let parameters = Double(trainer.task.model.layout.parameterCount)
    let steps = Double(min(stepCount, configuration.training.steps))
    let byteCount = 4 * (parameters + steps * (2 * parameters + images))
    output = try SharedOutput(path, byteCount: Int(min(byteCount, 1e18)), communicator: communicator)
    self.communicator = communicator
    self.configuration = configuration
    self.imageShape = imageShape
    self.conditionChannels = conditionChannels
    self.stepCount = stepCount
    try write(trainer.tensorGroup("initial", ofArena: trainer.parameters())) { file in
      try file.writeAttribute("config", configuration.yaml)
      try file.writeAttribute("steps", Int64(stepCount))
    }
  }

  /// Writes the inputs of step `step` (from 0) under `/step-<n>`, where n has eight digits and counts from 1.
  ///
  /// - Parameter firstSample: this rank's first sample of the global batch.
  func didDraw(_ noised: [NoisedImages], step: Int, firstSample: Int) throws {
    let batch = configuration.training.batch
    let shape = [batch] + imageShape
    var parts = [
      Part("x0", shape, from: firstSample, noised.flatMap(\.original.elements)),
      Part("noise", shape, from: firstSample, noised.flatMap(\.noise.elements)),
    ]
    if conditionChannels > 0 {
      let shape = [batch, imageShape[0], imageShape[1], conditionChannels]
      let fields = noised.compactMap(\.conditions.fields)
      parts.append(Part("conditions", shape, from: firstSample, fields.flatMap(\.elements)))
    }
    let classes = noised.compactMap(\.conditions.classes).flatMap(\.self)
    if !classes.isEmpty {
      parts.append(Part("classes", [batch], from: firstSample, classes.map { Int64($0 ?? -1) }))
    }
    let times = noised.flatMap(\.times)
    // Integers if the process has steps.
    if configuration.diffusion.process.isDiscrete {
      parts.append(Part("t", [batch], from: firstSample, times.map { Int64($0) }))
    } else {
      parts.append(Part("t", [batch], from: firstSample, times))
    }
    try write(parts, step: step)
  }

  /// Writes the loss and the averaged gradient of step `step`.
  func didAverage(_ gradients: Arena, loss: Double, step: Int, _ trainer: DataParallelTrainer) throws {
    try write([Part("loss", [1], from: 0, communicator.rank == 0 ? [loss] : [])], step: step)
    try write(trainer.tensorGroup("\(Self.group(step))/gradients", ofArena: gradients))
  }

  /// Writes the parameters after step `step`.
  func didUpdate(step: Int, _ trainer: DataParallelTrainer) throws {
    try write(trainer.tensorGroup("\(Self.group(step))/parameters", ofArena: trainer.parameters()))
  }

  /// Finishes the file and moves it to its final name. Collective; nothing can be recorded afterwards.
  func close() throws {
    if !output.isPublished { try output.publish() }
  }

  private static func group(_ step: Int) -> String { RunFolder.stepName(step + 1) }

  /// A dataset of a step, and the samples of it that this rank has.
  private struct Part {
    let name: String
    let shape: [Int]
    let type: ElementType
    let segment: (DatasetLocation) -> FileSegment

    /// - Parameter first: this rank's first sample.
    init<Element: HDF5Element>(_ name: String, _ shape: [Int], from first: Int, _ elements: [Element]) {
      self.name = name
      self.shape = shape
      type = Element.elementType
      let start = first * shape.dropFirst().reduce(1, *)
      segment = { location in
        location.segment(start..<start + elements.count, TypedTensor(elements, shape: [elements.count]))
      }
    }
  }

  private func write(_ parts: [Part], step: Int) throws {
    let locations = try output.define { (file: borrowing HDF5File) throws -> [DatasetLocation] in
      var locations: [DatasetLocation] = []
      for part in parts {
        let name = "\(Self.group(step))/\(part.name)"
        locations.append(try file.createDataset(name, shape: part.shape, type: part.type).location())
      }
      return locations
    }
    try output.write(zip(parts, locations).map { part, location in part.segment(location) })
  }

  /// - Parameter describe: writes attributes.
  private func write(
    _ group: TensorGroup, describe: (borrowing HDF5File) throws -> Void = { _ in }
  ) throws {
    let checksums = try TensorGroup.checksums(of: [group], communicator)
    let offsets = try output.define { (file: borrowing HDF5File) throws -> [Int] in
      try describe(file)
      return try group.createDatasets(in: file, checksums: checksums?.first ?? [])
    }
    try output.write(group.segments(at: offsets))
  }
}
