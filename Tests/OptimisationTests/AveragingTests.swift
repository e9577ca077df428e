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
    average.start(parameters: start)
    let workers = WorkerPool(threadCount: 1)
    var remaining = 1.0
    for step in 0..<20 {
      average.update(step: step, parameters: target, workers: workers)
      remaining *= 0.9
    }
    for index in 0..<block {
      let (from, to) = (Double(start[index]), Double(target[index]))
      // Twenty roundings of numbers up to 4.
      #expect(abs(Double(average.average[index]) - (to + remaining * (from - to))) < 20 * 4 * 0x1p-24)
    }
  }

  @Test func startsAtTheParametersAndLeavesThemAlone() {
    let start = gaussian(block, sample: 1)
    let before = start.elements
    let average = ExponentialMovingAverage(decay: 0.5, count: block)
    average.start(parameters: start)
    #expect(average.average[5] == before[5])
    average.average[5] = 100
    #expect(start.elements == before)
  }

  @Test func decayZeroCopiesAndDecayOneKeeps() {
    let start = gaussian(block, sample: 1)
    let target = gaussian(block, sample: 2)
    let workers = WorkerPool(threadCount: 2)
    let copying = ExponentialMovingAverage(decay: 0, count: block)
    copying.start(parameters: start)
    copying.update(step: 0, parameters: target, workers: workers)
    let keeping = ExponentialMovingAverage(decay: 1, count: block)
    keeping.start(parameters: start)
    keeping.update(step: 0, parameters: target, workers: workers)
    for index in 0..<block {
      // a + (θ − a) rounds twice.
      #expect(abs(copying.average[index] - target[index]) < 1e-6)
      #expect(keeping.average[index] == start[index])
    }
  }
}

@Suite struct AverageRampupTests {
  /// As in the training loop of EDM's published code, in images: `ema_halflife_nimg` is at most `cur_nimg *
  /// ema_rampup_ratio`, and `ema_beta = 0.5 ** (batch_size / ema_halflife_nimg)`.
  @Test func decaysAgreeWithEDM() {
    let (batch, ratio, decay) = (64.0, 0.05, 0.9993)
    let halfLife = -batch * 0.693147180559945309 / Glibc.log(decay)
    let average = ExponentialMovingAverage(decay: decay, rampup: ratio, count: block)
    for step in [0, 1, 2, 10, 940, 19_000, 20_000, 1_000_000] {
      let images = Double(step) * batch
      let expected = Glibc.pow(0.5, batch / max(min(halfLife, images * ratio), 1e-8))
      // The decay is converted to a logarithm and back.
      #expect(abs(average.decay(atStep: step) - expected) < 1e-12)
    }
    #expect(average.decay(atStep: 0) == 0)
    #expect(average.decay(atStep: 20_000) == decay)
  }

  @Test func withoutARampTheDecayIsConstant() {
    let average = ExponentialMovingAverage(decay: 0.9, count: block)
    #expect([0, 1, 1000].allSatisfy { average.decay(atStep: $0) == 0.9 })
  }

  @Test func extremeRampsGiveValidDecays() {
    for rampup in [Double.leastNonzeroMagnitude, 1e-300, 1, 1e300, .greatestFiniteMagnitude] {
      let average = ExponentialMovingAverage(decay: 0.9, rampup: rampup, count: block)
      for step in [0, 1, Int.max] { #expect((0...0.9).contains(average.decay(atStep: step))) }
    }
  }

  @Test func theInitialParametersAreForgotten() {
    let start = gaussian(block, sample: 1)
    let target = gaussian(block, sample: 2)
    let average = ExponentialMovingAverage(decay: 0.999, rampup: 0.05, count: block)
    average.start(parameters: start)
    for step in 0..<2 { average.update(step: step, parameters: target, workers: WorkerPool(threadCount: 1)) }
    for index in 0..<block {
      // a + (θ − a) rounds twice.
      #expect(abs(average.average[index] - target[index]) < 1e-6)
    }
  }
}

@Suite struct LearningRateScheduleTests {
  @Test func warmupIsLinearAndThenConstant() {
    let schedule = LearningRateSchedule(learningRate: 2e-4, warmupSteps: 5000)
    #expect(schedule.rate(atStep: 1) == 2e-4 / 5000)
    #expect(schedule.rate(atStep: 2500) == 1e-4)
    #expect(schedule.rate(atStep: 5000) == 2e-4)
    #expect(schedule.rate(atStep: 800_000) == 2e-4)
  }

  /// `get_cosine_schedule_with_warmup` and `get_linear_schedule_with_warmup` of diffusers 0.30 (`optimization.py`), whose
  /// steps are counted from 0 and whose warm-up starts at 0; and EDM2's `learning_rate_schedule`.
  @Test func schedulesAgreeWithDiffusersAndEDM2() {
    let (rate, warmup, steps) = (1e-3, 10, 100)
    for step in [11, 12, 40, 55, 99, 100] {
      let progress = Double(step - 1 - warmup) / Double(steps - warmup)
      let expected: [(LearningRateSchedule.Decay, Double)] = [
        (.constant, 1), (.cosine, 0.5 * (1 + cos(.pi * progress))), (.linear, 1 - progress),
        (.inverseSquareRoot, 1 / max(Double(step - 1) / Double(warmup), 1).squareRoot()),
      ]
      for (decay, factor) in expected {
        let schedule = LearningRateSchedule(learningRate: rate, warmupSteps: warmup, decay: decay, steps: steps)
        // Rounding errors only.
        #expect(abs(schedule.rate(atStep: step) / (rate * factor) - 1) < 1e-14, "\(decay) at \(step)")
        #expect(schedule.rate(atStep: 5) == rate / 2)
        #expect(schedule.rate(atStep: 10) == rate)
      }
    }
  }

  @Test(arguments: LearningRateSchedule.Decay.allCases)
  func ratesFallFromTheStartOfTheDecayAndStayPositive(decay: LearningRateSchedule.Decay) {
    for start in [0, 7, 50] {
      let schedule = LearningRateSchedule(
        learningRate: 1, warmupSteps: 0, decay: decay, decayStart: start, steps: 60)
      let rates = (1...60).map(schedule.rate)
      #expect(rates.prefix(max(start, 1)).allSatisfy { $0 == 1 })
      #expect(rates.allSatisfy { $0 > 0 })
      #expect(zip(rates, rates.dropFirst()).allSatisfy { decay == .constant ? $0 == $1 : $0 >= $1 })
      #expect(decay == .constant || rates[59] < rates[start])
    }
  }

  /// After the last step of a run the rate is zero; a warm-up longer than the run is never completed.
  @Test(arguments: LearningRateSchedule.Decay.allCases)
  func shortRunsHaveValidRates(decay: LearningRateSchedule.Decay) {
    let schedule = LearningRateSchedule(learningRate: 1, warmupSteps: 100, decay: decay, steps: 3)
    #expect((1...3).map(schedule.rate) == [0.01, 0.02, 0.03])
    #expect(LearningRateSchedule(learningRate: 1, warmupSteps: 0, decay: decay, steps: 1).rate(atStep: 1) == 1)
    let huge = LearningRateSchedule(learningRate: 1, warmupSteps: 0, decay: decay, steps: .max)
    #expect((0...1).contains(huge.rate(atStep: .max)))
  }

  @Test func withoutWarmupItIsConstant() {
    #expect(LearningRateSchedule(learningRate: 0.1, warmupSteps: 0).rate(atStep: 1) == 0.1)
  }
}
