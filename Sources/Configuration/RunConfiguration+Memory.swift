import Network
import Ranks
import Reporting
import Tensors

extension RunConfiguration {
  /// The memory that training needs on each rank.
  /// - Parameters:
  ///   - layout: the layout of the network under training.
  ///   - network: its shape.
  ///   - ranksPerNode: the ranks that share one copy of the parameters.
  package func trainingMemory(
    _ layout: ParameterLayout, _ network: UNetConfiguration, rankCount: Int, ranksPerNode: Int = 1
  ) -> MemoryNeed {
    var need = MemoryNeed()
    // Sums of the gradients of 2, 4, 8 … micro-batches exist at the same time.
    let microBatches = max(1, microBatchCount / rankCount)
    let sums = max(1, Int.bitWidth - (microBatches - 1).leadingZeroBitCount)
    let state = Double(2 + training.emaDecays.count) / Double(rankCount)
    let activations = ActivationCount(layout, network)
    let perImage =
      training.recomputeActivations == .blocks ? activations.trainingWithRecomputedBlocks : activations.training
    let ofActivations = perImage * Double(training.microBatch)
    var gradients = Double(layout.arenaCount * sums)
    if training.releasesGradients && ranksPerNode > 1 && microBatchCount <= rankCount {
      // Given back as they are added up (`NodeMemory.release`), but all there before the first activations.
      gradients = max(gradients / Double(ranksPerNode), gradients - ofActivations)
    }
    need.add(
      floats: Double(layout.arenaCount) * (1 / Double(ranksPerNode) + state) + gradients,
      for: "\(ProgressFormat.count(layout.parameterCount)) parameters, their gradients, moments and averages "
        + "(model.channels, model.multipliers, model.blocks, training.ema_decays)")
    need.add(
      floats: ofActivations,
      for: "the activations of training.micro_batch \(training.microBatch) images of "
        + "\(network.imageHeight)x\(network.imageWidth)x\(network.imageChannels)")
    return need
  }

  /// The memory on each rank for drawn images, which are kept until all have been drawn, during training.
  package func drawnImagesMemory(_ network: UNetConfiguration, rankCount: Int) -> MemoryNeed {
    let size = Double(network.imageHeight * network.imageWidth * network.imageChannels)
    var need = MemoryNeed()
    need.add(
      floats: Double(training.sampleCount) * size * (1 + 1 / Double(rankCount)),
      for: "sampling.count \(training.sampleCount) images")
    if evaluation.every != nil {
      need.add(
        floats: Double(evaluation.count) * size / Double(rankCount), for: "evaluation.count \(evaluation.count) images")
    }
    return need
  }
}

extension MemoryNeed {
  /// The memory that a rank needs to use a trained network on `batch` images at a time.
  /// - Parameters:
  ///   - option: the option that sets the batch.
  ///   - activations: the passes that are run.
  package static func inference(
    _ network: UNet, batch: Int, option: String, _ activations: (ActivationCount) -> Double = \.inference
  ) -> MemoryNeed {
    var need = MemoryNeed()
    need.add(
      floats: Double(network.layout.arenaCount),
      for: "\(ProgressFormat.count(network.layout.parameterCount)) parameters")
    need.add(
      floats: activations(ActivationCount(network.layout, network.configuration)) * Double(batch),
      for: "the activations of \(option) \(batch) images")
    return need
  }
}
