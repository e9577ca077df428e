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
/// each step the images x0, the time steps t, the noise, the loss, the averaged gradients before clipping and the
/// parameters after the update. Every rank writes its part; images are in the order of the global batch.
final class TraceRecorder: StepObserver {
  private let output: SharedOutput
  private let communicator: Communicator
  private let batch: Int
  private let microBatch: Int
  private let isDiscrete: Bool
  private let imageShape: [Int]
  let stepCount: Int

  /// - Parameters:
  ///   - path: the file; an existing one is replaced when the trace is complete.
  ///   - stepCount: the number of steps to record.
  ///   - parameterCount: the number of parameters of the network.
  init(
    path: String, stepCount: Int, imageShape: [Int], parameterCount: Int, configuration: RunConfiguration,
    communicator: Communicator
  ) throws {
    // The parameters, and for each step images, noise, gradients and parameters.
    let images = Double(configuration.training.batch) * Double(imageShape.reduce(1, *))
    let steps = Double(min(stepCount, configuration.training.steps))
    let byteCount = 4 * (Double(parameterCount) + 2 * steps * (Double(parameterCount) + images))
    output = try SharedOutput(path, byteCount: Int(min(byteCount, 1e18)), communicator: communicator)
    self.communicator = communicator
    batch = configuration.training.batch
    microBatch = configuration.training.microBatch
    self.imageShape = imageShape
    self.stepCount = stepCount
    isDiscrete = configuration.diffusion.process.isDiscrete
    try output.file!.writeAttribute("config", configuration.yaml)
    try output.file!.writeAttribute("steps", Int64(stepCount))
  }

  /// Writes the parameters before the first step under `/initial`.
  func recordInitial(_ trainer: DataParallelTrainer) throws {
    try trainer.tensorGroup("initial", ofArena: trainer.parameters())
      .write(to: output.file!, communicator: communicator)
  }

  /// Writes the inputs of step `step` (from 0) under `/step-<n>`, where n has eight digits and counts from 1.
  ///
  /// - Parameters:
  ///   - firstSample: this rank's first sample of the global batch.
  ///   - original: x0 of this rank's micro-batches, in order.
  func didDraw(_ original: [Tensor], _ noised: [NoisedImages], step: Int, firstSample: Int) throws {
    let group = Self.group(step)
    let shape = [batch] + imageShape
    try writeParts("\(group)/x0", shape: shape, firstSample: firstSample, parts: original)
    try writeParts("\(group)/noise", shape: shape, firstSample: firstSample, parts: noised.map(\.noise))
    let classes = noised.compactMap(\.classes).flatMap(\.self)
    if !classes.isEmpty {
      let dataset = try output.file!.createDataset("\(group)/classes", shape: [batch], type: .int64)
      try dataset.write(
        flatRanges: [firstSample..<firstSample + classes.count], from: classes.map { Int64($0 ?? -1) }, collective: true
      )
      try dataset.close()
    }
    // Integers if the process has steps.
    let times = noised.flatMap(\.times)
    let range = firstSample..<firstSample + times.count
    let dataset = try output.file!.createDataset("\(group)/t", shape: [batch], type: isDiscrete ? .int64 : .float64)
    if isDiscrete {
      try dataset.write(flatRanges: [range], from: times.map { Int64($0) }, collective: true)
    } else {
      try dataset.write(flatRanges: [range], from: times, collective: true)
    }
    try dataset.close()
  }

  /// Writes the loss and the averaged gradient of step `step`.
  func didAverage(_ gradients: Arena, loss: Double, step: Int, _ trainer: DataParallelTrainer) throws {
    let group = Self.group(step)
    let dataset = try output.file!.createDataset("\(group)/loss", shape: [1], type: .float64)
    try dataset.writeAll([loss], collective: true)
    try dataset.close()
    try trainer.tensorGroup("\(group)/gradients", ofArena: gradients).write(
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

  private func writeParts(_ path: String, shape: [Int], firstSample: Int, parts: [Tensor]) throws {
    let size = imageShape.reduce(1, *)
    let dataset = try output.file!.createDataset(path, shape: shape, type: .float32)
    let own = Tensor(uninitialised: [parts.count * microBatch] + imageShape)
    for (index, part) in parts.enumerated() { own[index * microBatch..<(index + 1) * microBatch].copy(part) }
    try dataset.write(flatRanges: [firstSample * size..<firstSample * size + own.count], from: own, collective: true)
    try dataset.close()
  }
}
