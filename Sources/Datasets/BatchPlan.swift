import Tensors

/// The images of each batch: the shuffled orders of the epochs, concatenated and divided into batches.
///
/// Every choice is a function of the seed, the step and the sample's index in the global batch. Each rank therefore
/// computes its own part, and a resumed run continues where the previous one ended, without any state.
package struct BatchPlan: Sendable {
  package let dataset: any Dataset
  /// Samples in a batch over all ranks.
  package let batchSize: Int
  package let seed: UInt64
  /// Whether half of the samples are mirrored.
  package let flips: Bool
  /// The probability of leaving out a sample's class.
  package let labelDropout: Double
  /// The probability of hiding a sample's given channels.
  package let conditionDropout: Double

  /// One sample of a batch.
  package struct Choice: Sendable, Equatable {
    /// The number of complete passes over all images before this one.
    package let epoch: Int
    /// The image's index in the data set.
    package let index: Int
    /// Whether left and right are swapped.
    package let isFlipped: Bool
  }

  /// - Parameter flips: nil for the data set's default.
  package init(
    dataset: any Dataset, batchSize: Int, seed: UInt64, flips: Bool? = nil, labelDropout: Double = 0,
    conditionDropout: Double = 0
  ) {
    precondition(batchSize >= 1, "the batch size \(batchSize) must be at least 1")
    self.dataset = dataset
    self.batchSize = batchSize
    self.seed = seed
    self.flips = flips ?? dataset.allowsFlips
    self.labelDropout = labelDropout
    self.conditionDropout = conditionDropout
  }

  /// The image for one sample of a batch.
  /// - Parameters:
  ///   - step: the batch's index, from 0.
  ///   - sample: the index in the global batch, in 0..<batchSize.
  package func choice(step: Int, sample: Int) -> Choice {
    precondition(step >= 0 && (0..<batchSize).contains(sample), "there is no sample \(sample) of step \(step)")
    let position = step * batchSize + sample
    let epoch = position / dataset.count
    let order = KeyedPermutation(count: dataset.count, seed: seed, epoch: epoch)
    let isFlipped =
      flips && RandomStream(seed: seed, purpose: .flip, step: step, sample: sample).uniform(0) < 0.5
    return Choice(epoch: epoch, index: order[position % dataset.count], isFlipped: isFlipped)
  }

  /// The classes of some samples of a batch; nil if the class is left out, or the data set has none.
  package func labels(step: Int, samples: Range<Int>) -> [Int?] {
    samples.map { sample in
      if hides(step: step, sample: sample, probability: labelDropout) { return nil }
      return dataset.label(of: choice(step: step, sample: sample).index)
    }
  }

  /// Whether a sample's given channels are hidden. One random number decides for them and for the class, so that both
  /// are hidden together.
  package func hidesFields(step: Int, sample: Int) -> Bool {
    hides(step: step, sample: sample, probability: conditionDropout)
  }

  private func hides(step: Int, sample: Int, probability: Double) -> Bool {
    guard probability > 0 else { return false }
    let stream = RandomStream(seed: seed, purpose: .labelDropout, step: step, sample: sample)
    return Double(stream.uniform(0)) < probability
  }

  /// Writes some samples of a batch, [samples, H, W, C], as the network takes them.
  /// - Parameters:
  ///   - step: the batch's index, from 0.
  ///   - samples: indices in the global batch, such as those of a rank or a micro-batch.
  ///   - images: a tensor of this shape.
  /// - Throws: `DatasetError` if an image cannot be read.
  package func fillBatch(
    step: Int, samples: Range<Int>, into images: Tensor, workers: WorkerPool = .callingThread
  ) throws {
    precondition(images.shape == [samples.count] + dataset.imageShape, "shape \(images.shape) for \(samples.count)")
    try workers.forEachTrying(samples.count) { offset in
      let choice = choice(step: step, sample: samples.lowerBound + offset)
      try dataset.copyValues(of: choice.index, into: images, at: offset, flipped: choice.isFlipped)
    }
  }
}
