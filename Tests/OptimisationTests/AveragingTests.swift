import Glibc
import Optimisation
import Tensors
import Testing

private let block = ParameterLayout.blockSize

@Suite struct ExponentialMovingAverageTests {
  @Test func approachesConstantParametersGeometrically() {
    let start = gaussian(block, sample: 1)
    let target = gaussian(block, sample: 2)
    let average = ExponentialMovingAverage(decay: 0.9, count: block)
    average.start(parameters: start.pointer)
    let workers = WorkerPool(threadCount: 1)
    var remaining = 1.0
    for step in 0..<20 {
      average.update(step: step, parameters: target.pointer, workers: workers)
      remaining *= 0.9
    }
    for index in 0..<block {
      let (from, to) = (Double(start.pointer[index]), Double(target.pointer[index]))
      // Twenty roundings of numbers up to 4.
      #expect(abs(Double(average.average.pointer[index]) - (to + remaining * (from - to))) < 20 * 4 * 0x1p-24)
    }
  }

  @Test func startsAtTheParametersAndLeavesThemAlone() {
    let start = gaussian(block, sample: 1)
    let before = start.elements
    let average = ExponentialMovingAverage(decay: 0.5, count: block)
    average.start(parameters: start.pointer)
    #expect(average.average.pointer[5] == before[5])
    average.average.pointer[5] = 100
    #expect(start.elements == before)
  }

  @Test func decayOfZeroCopiesAndOfOneKeeps() {
    let start = gaussian(block, sample: 1)
    let target = gaussian(block, sample: 2)
    let workers = WorkerPool(threadCount: 2)
    let copying = ExponentialMovingAverage(decay: 0, count: block)
    copying.start(parameters: start.pointer)
    copying.update(step: 0, parameters: target.pointer, workers: workers)
    let keeping = ExponentialMovingAverage(decay: 1, count: block)
    keeping.start(parameters: start.pointer)
    keeping.update(step: 0, parameters: target.pointer, workers: workers)
    for index in 0..<block {
      // a + (θ − a) rounds twice.
      #expect(abs(copying.average.pointer[index] - target.pointer[index]) < 1e-6)
      #expect(keeping.average.pointer[index] == start.pointer[index])
    }
  }
}

@Suite struct AverageRampupTests {
  /// As the training loop of EDM's published code has it, in images: `ema_halflife_nimg` is at most
  /// `cur_nimg * ema_rampup_ratio`, and `ema_beta = 0.5 ** (batch_size / ema_halflife_nimg)`.
  @Test func decaysAreThoseOfTheReference() {
    let (batch, ratio, decay) = (64.0, 0.05, 0.9993)
    let halfLife = -batch * 0.693147180559945309 / Glibc.log(decay)
    let average = ExponentialMovingAverage(decay: decay, rampup: ratio, count: block)
    for step in [0, 1, 2, 10, 940, 19_000, 20_000, 1_000_000] {
      let images = Double(step) * batch
      let expected = Glibc.pow(0.5, batch / max(min(halfLife, images * ratio), 1e-8))
      // The decay goes through a logarithm and back.
      #expect(abs(average.decay(atStep: step) - expected) < 1e-12)
    }
    #expect(average.decay(atStep: 0) == 0)
    #expect(average.decay(atStep: 20_000) == decay)
  }

  @Test func withoutARampTheDecayIsConstant() {
    let average = ExponentialMovingAverage(decay: 0.9, count: block)
    #expect([0, 1, 1000].allSatisfy { average.decay(atStep: $0) == 0.9 })
  }

  @Test func extremeRampsAreSharesToo() {
    for rampup in [5e-324, 1e-300, 1, 1e300, .greatestFiniteMagnitude] {
      let average = ExponentialMovingAverage(decay: 0.9, rampup: rampup, count: block)
      for step in [0, 1, Int.max] { #expect((0...0.9).contains(average.decay(atStep: step))) }
    }
  }

  @Test func theInitialParametersAreForgotten() {
    let start = gaussian(block, sample: 1)
    let target = gaussian(block, sample: 2)
    let average = ExponentialMovingAverage(decay: 0.999, rampup: 0.05, count: block)
    average.start(parameters: start.pointer)
    for step in 0..<2 { average.update(step: step, parameters: target.pointer, workers: WorkerPool(threadCount: 1)) }
    for index in 0..<block {
      // a + (θ − a) rounds twice.
      #expect(abs(average.average.pointer[index] - target.pointer[index]) < 1e-6)
    }
  }
}

@Suite struct LearningRateScheduleTests {
  @Test func growsLinearlyAndThenStays() {
    let schedule = LearningRateSchedule(learningRate: 2e-4, warmupSteps: 5000)
    #expect(schedule.rate(atStep: 1) == 2e-4 / 5000)
    #expect(schedule.rate(atStep: 2500) == 1e-4)
    #expect(schedule.rate(atStep: 5000) == 2e-4)
    #expect(schedule.rate(atStep: 800_000) == 2e-4)
  }

  @Test func withoutWarmupItIsConstant() {
    #expect(LearningRateSchedule(learningRate: 0.1, warmupSteps: 0).rate(atStep: 1) == 0.1)
  }
}

@Suite struct GradientNormTests {
  let gradients = gaussian(37 * block, sample: 3)

  @Test func isTheEuclideanNorm() {
    let sums = GradientNorm.blockSums(gradients.pointer, count: gradients.count, workers: WorkerPool(threadCount: 2))
    let expected = gradients.elements.reduce(0.0) { $0 + Double($1) * Double($1) }
    // 150 000 roundings of a sum in double precision, which mostly cancel.
    #expect(abs(GradientNorm.fixedTreeSum(sums) / expected - 1) < 1e-12)
  }

  @Test func neitherThreadsNorShardsChangeABit() {
    let whole = GradientNorm.blockSums(gradients.pointer, count: gradients.count, workers: WorkerPool(threadCount: 1))
    let cut = 11 * block
    let workers = WorkerPool(threadCount: 3)
    let parts =
      GradientNorm.blockSums(gradients.pointer, count: cut, workers: workers)
      + GradientNorm.blockSums(gradients.pointer + cut, count: gradients.count - cut, workers: workers)
    #expect(whole == parts)
    #expect(whole.count == 37)
  }

  @Test func emptyShardHasNoSums() {
    #expect(GradientNorm.blockSums(gradients.pointer, count: 0, workers: WorkerPool(threadCount: 2)).isEmpty)
    #expect(GradientNorm.fixedTreeSum([]) == 0)
  }

  @Test func notANumberReachesTheNormAndTheScale() {
    let broken = gradients.copied()
    broken.pointer[20 * block + 1] = .nan
    let sums = GradientNorm.blockSums(broken.pointer, count: broken.count, workers: WorkerPool(threadCount: 1))
    #expect(GradientNorm.fixedTreeSum(sums).isNaN)
    #expect(GradientNorm.clippingScale(norm: .nan, maximum: 1).isNaN)
  }

  @Test func clippingScalesLargeNormsOnly() {
    #expect(GradientNorm.clippingScale(norm: 4, maximum: 1) == 1 / (4 + 1e-6))
    #expect(GradientNorm.clippingScale(norm: 0.5, maximum: 1) == 1)
    #expect(GradientNorm.clippingScale(norm: 0, maximum: 1) == 1)
  }
}
