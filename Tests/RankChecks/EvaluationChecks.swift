import Evaluation
import Failures
import MessagePassing
import ReferenceKernels
import Tensors

private let imageCount = 1100
private let dimension = 70

/// Features of all images, the same on all ranks; correlated.
private func allFeatures(seed: UInt64, count: Int) -> Features {
  var values = TestData.normals(count * dimension, seed: seed)
  for index in values.indices where !index.isMultiple(of: dimension) { values[index] += 0.7 * values[index - 1] }
  return Features(values, dimension: dimension)
}

let evaluationChecks: [Check] = [
  Check("rank 0 gets statistics of features with the same bits as on one rank") { context in
    var wrong: [String] = []
    for count in [2, 511, imageCount] {
      let all = allFeatures(seed: 1, count: count)
      let alone = try FeatureStatistics(all, workers: .callingThread)
      for threads in [1, 2] {
        let together = try FeatureStatistics(
          share: all[context.communicator.share(of: count)], of: count, over: context.communicator,
          workers: WorkerPool(threadCount: threads))
        if together != (context.rank == 0 ? alone : nil) { wrong.append("\(count) images, \(threads) threads") }
      }
    }
    try expectEqual(wrong, [])
  },

  Check("rank 0 gets all features in the order of images, in one message and in many") { context in
    let all = allFeatures(seed: 2, count: 37)
    let share = all[context.communicator.share(of: 37)]
    let gathered = try [context.communicator, context.communicator.limitingMessages(to: 100)].map {
      try Features(gathering: share, of: 37, over: $0)
    }
    try expect(gathered.allSatisfy { $0 == (context.rank == 0 ? all : nil) }, "other features")
  },

  Check("features that one rank cannot use are refused by all") { context in
    let communicator = context.communicator
    let mine = communicator.share(of: 40)
    let last = communicator.rank == communicator.size - 1
    let broken = Features(
      [Float](repeating: last ? .nan : 1, count: mine.count * 3), dimension: 3)
    let failure = try expectError(JobFailure.self) {
      _ = try FeatureStatistics(share: broken, of: 40, over: communicator, workers: .callingThread)
    }
    try expectEqual(failure.rank, communicator.size - 1)
    if communicator.size == 1 { return }
    let other = Features(
      [Float](repeating: 1, count: mine.count * (last ? 2 : 3)), dimension: last ? 2 : 3)
    _ = try expectError(JobFailure.self) {
      _ = try Features(gathering: other, of: 40, over: communicator)
    }
  },
]
