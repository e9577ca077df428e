import Kernels

/// Identifies the dropout masks of a micro-batch.
public struct DropoutContext: Sendable {
  let probability: Float
  let seed: UInt64
  let step: Int
  let firstSample: Int

  /// - Parameter firstSample: the index of the micro-batch's first image in the global batch.
  public init(probability: Float, seed: UInt64, step: Int, firstSample: Int) {
    self.probability = probability
    self.seed = seed
    self.step = step
    self.firstSample = firstSample
  }

  func mask(forBlock number: Int) -> Dropout? {
    probability == 0
      ? nil : Dropout(probability: probability, seed: seed, step: step, firstSample: firstSample, layer: number)
  }
}
