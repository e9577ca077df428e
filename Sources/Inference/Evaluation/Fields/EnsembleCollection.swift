import FieldMeasures
import Tensors

/// Collects the members of ensembles, which batches may divide, and compares each complete ensemble with its truth.
package struct EnsembleCollection {
  package private(set) var sums: EnsembleSums
  /// The members of the next case so far, [M, H, W, C].
  private let members: Tensor
  private var memberCount = 0
  private var nextCase: Int

  /// - Parameters:
  ///   - memberCount: M.
  ///   - shape: [H, W, C].
  ///   - seed: decides the ranks of truths that equal a member.
  ///   - firstCase: the index of the first case that will be added, among those of all ranks.
  package init(memberCount: Int, shape: [Int], seed: UInt64, firstCase: Int = 0) {
    sums = EnsembleSums(memberCount: memberCount, shape: shape, seed: seed, firstCase: firstCase)
    members = Tensor(uninitialised: [memberCount] + shape)
    nextCase = firstCase
  }

  /// Adds the next fields.
  /// - Parameters:
  ///   - fields: [N, H, W, C], in the order of cases and members.
  ///   - truth: returns the truth of a case, [1, H, W, C], and which of its values are present; nil if all are.
  /// - Throws: `FieldMeasureError` for numbers that are infinite or NaN, and what `truth` throws.
  package mutating func add(
    _ fields: Tensor, workers: WorkerPool,
    truth: (_ index: Int) throws -> (fields: Tensor, isPresent: [Bool]?)
  ) throws {
    for row in 0..<fields.shape[0] {
      members[image: memberCount].copy(fields[image: row])
      memberCount += 1
      guard memberCount == members.shape[0] else { continue }
      let truth = try truth(nextCase)
      try sums.add(
        members.reshaped([1] + members.shape), truths: truth.fields, isPresent: truth.isPresent, workers: workers)
      nextCase += 1
      memberCount = 0
    }
  }
}
