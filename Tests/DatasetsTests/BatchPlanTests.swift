import Datasets
import Tensors
import Testing

@Suite struct BatchPlanTests {
  @Test func everyEpochUsesEveryImageOnceInADifferentOrder() {
    // 30 images in batches of 8: batches extend over the ends of epochs.
    let plan = BatchPlan(dataset: Shapes(count: 30), batchSize: 8, seed: 5)
    let choices = (0..<15).flatMap { step in (0..<8).map { plan.choice(step: step, sample: $0) } }
    let orders = (0..<4).map { epoch in choices.filter { $0.epoch == epoch }.map(\.index) }
    for order in orders { #expect(order.sorted() == Array(0..<30)) }
    #expect(Set(orders).count == 4)
    #expect(choices.map(\.epoch) == choices.map(\.epoch).sorted())
  }

  @Test func seedsGiveDifferentOrders() {
    let orders = (0..<3 as Range<UInt64>).map { seed in
      let plan = BatchPlan(dataset: Shapes(count: 30), batchSize: 30, seed: seed)
      return (0..<30).map { plan.choice(step: 0, sample: $0).index }
    }
    #expect(Set(orders).count == 3)
  }

  @Test func partsOfABatchEqualThoseOfTheWholeBatch() throws {
    let dataset = Shapes(count: 20, size: 8, channels: 3)
    let plan = BatchPlan(dataset: dataset, batchSize: 12, seed: 1, flips: true)
    let whole = Tensor(uninitialised: [12, 8, 8, 3])
    try plan.fillBatch(step: 3, samples: 0..<12, into: whole)
    for samples in [0..<5, 5..<6, 6..<12] {
      let part = Tensor(uninitialised: [samples.count, 8, 8, 3])
      try plan.fillBatch(step: 3, samples: samples, into: part, workers: WorkerPool(threadCount: 3))
      #expect(part.elements == Array(whole.elements[samples.lowerBound * 192..<samples.upperBound * 192]))
    }
  }

  @Test func batchHoldsTheChosenImages() throws {
    let dataset = Shapes(count: 20, size: 8, channels: 1)
    let plan = BatchPlan(dataset: dataset, batchSize: 6, seed: 1, flips: true)
    let batch = Tensor(uninitialised: [6, 8, 8, 1])
    try plan.fillBatch(step: 9, samples: 0..<6, into: batch)
    for sample in 0..<6 {
      let choice = plan.choice(step: 9, sample: sample)
      #expect(batch[image: sample].elements == (try floats(choice.index, of: dataset, flipped: choice.isFlipped)))
    }
  }

  @Test func halfOfTheSamplesAreFlippedIfFlipsAreOn() {
    let dataset = Shapes(count: 100)
    let flipping = BatchPlan(dataset: dataset, batchSize: 100, seed: 1, flips: true)
    let flipped = (0..<2000).count { flipping.choice(step: $0 / 100, sample: $0 % 100).isFlipped }
    // 1000 give or take five standard deviations of 22.
    #expect((888...1112).contains(flipped))
    let plain = BatchPlan(dataset: dataset, batchSize: 100, seed: 1)
    #expect((0..<100).allSatisfy { !plain.choice(step: 0, sample: $0).isFlipped })
  }

  @Test func labelsAreThoseOfTheImages() {
    let dataset = Shapes(count: 30)
    let plan = BatchPlan(dataset: dataset, batchSize: 8, seed: 5)
    #expect(
      plan.labels(step: 2, samples: 3..<8) == (3..<8).map { dataset.label(of: plan.choice(step: 2, sample: $0).index) })
  }

  @Test func labelsAreDroppedAtTheGivenRateForAnyRange() {
    let plan = BatchPlan(dataset: Shapes(count: 30), batchSize: 4000, seed: 5, labelDropout: 0.2)
    let labels = plan.labels(step: 1, samples: 0..<4000)
    let share = Double(labels.filter { $0 == nil }.count) / 4000
    // Four standard errors.
    #expect(abs(share - 0.2) < 4 * (0.16 / 4000).squareRoot())
    #expect(plan.labels(step: 1, samples: 70..<90) == Array(labels[70..<90]))
    #expect(plan.labels(step: 2, samples: 0..<4000) != labels)
  }

  /// One number decides for the class and for the given channels of a sample.
  @Test func givenChannelsAreHiddenTogetherWithTheClass() {
    func plan(labelDropout: Double, conditionDropout: Double) -> BatchPlan {
      BatchPlan(
        dataset: Shapes(count: 30), batchSize: 4000, seed: 5, labelDropout: labelDropout,
        conditionDropout: conditionDropout)
    }
    func hidden(_ plan: BatchPlan) -> [Bool] { (0..<4000).map { plan.hidesFields(step: 1, sample: $0) } }
    let both = plan(labelDropout: 0.2, conditionDropout: 0.2)
    let labels = both.labels(step: 1, samples: 0..<4000)
    #expect(hidden(both) == labels.map { $0 == nil })
    let more = hidden(plan(labelDropout: 0.2, conditionDropout: 0.5))
    #expect(zip(hidden(both), more).allSatisfy { !$0 || $1 })
    // Four standard errors.
    #expect(abs(Double(more.count { $0 }) / 4000 - 0.5) < 4 * (0.25 / 4000).squareRoot())
    #expect(!hidden(plan(labelDropout: 0.2, conditionDropout: 0)).contains(true))
    #expect(plan(labelDropout: 0, conditionDropout: 1).labels(step: 1, samples: 0..<9).allSatisfy { $0 != nil })
  }
}
