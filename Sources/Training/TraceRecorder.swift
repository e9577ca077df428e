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
    try output.file!.writeAttribute("config", configuration.yaml)
    try output.file!.writeAttribute("steps", Int64(stepCount))
    try trainer.tensorGroup("initial", ofArena: trainer.parameters())
      .write(to: output.file!, communicator: communicator)
  }

  /// Writes the inputs of step `step` (from 0) under `/step-<n>`, where n has eight digits and counts from 1.
  ///
  /// - Parameter firstSample: this rank's first sample of the global batch.
  func didDraw(_ noised: [NoisedImages], step: Int, firstSample: Int) throws {
    let batch = configuration.training.batch
    let shape = [batch] + imageShape
    try write("x0", step: step, shape, from: firstSample, noised.flatMap(\.original.elements))
    try write("noise", step: step, shape, from: firstSample, noised.flatMap(\.noise.elements))
    if conditionChannels > 0 {
      let shape = [batch, imageShape[0], imageShape[1], conditionChannels]
      let fields = noised.compactMap(\.conditions.fields)
      try write("conditions", step: step, shape, from: firstSample, fields.flatMap(\.elements))
    }
    let classes = noised.compactMap(\.conditions.classes).flatMap(\.self)
    if !classes.isEmpty {
      try write("classes", step: step, [batch], from: firstSample, classes.map { Int64($0 ?? -1) })
    }
    let times = noised.flatMap(\.times)
    // Integers if the process has steps.
    if configuration.diffusion.process.isDiscrete {
      try write("t", step: step, [batch], from: firstSample, times.map { Int64($0) })
    } else {
      try write("t", step: step, [batch], from: firstSample, times)
    }
  }

  /// Writes the loss and the averaged gradient of step `step`.
  func didAverage(_ gradients: Arena, loss: Double, step: Int, _ trainer: DataParallelTrainer) throws {
    try write("loss", step: step, [1], from: 0, [loss])
    try trainer.tensorGroup("\(Self.group(step))/gradients", ofArena: gradients).write(
      to: output.file!, communicator: communicator)
  }

  /// Writes the parameters after step `step`.
  func didUpdate(step: Int, _ trainer: DataParallelTrainer) throws {
    try trainer.tensorGroup("\(Self.group(step))/parameters", ofArena: trainer.parameters())
      .write(to: output.file!, communicator: communicator)
    try output.file!.flush()
  }

  /// Finishes the file and moves it to its final name. Collective; nothing can be recorded afterwards.
  func close() throws {
    if !output.isPublished { try output.publish() }
  }

  private static func group(_ step: Int) -> String { RunFolder.stepName(step + 1) }

  /// Writes a dataset of a step, of which this rank has the samples from `first` on.
  private func write<Element: HDF5Element>(
    _ name: String, step: Int, _ shape: [Int], from first: Int, _ elements: [Element]
  ) throws {
    let dataset = try output.file!.createDataset(
      "\(Self.group(step))/\(name)", shape: shape, type: Element.elementType)
    let start = first * shape.dropFirst().reduce(1, *)
    try dataset.write(flatRanges: [start..<start + elements.count], from: elements, collective: true)
    try dataset.close()
  }
}
