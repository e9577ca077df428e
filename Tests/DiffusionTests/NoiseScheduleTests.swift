import Diffusion
import Testing

@Suite struct NoiseScheduleTests {
  @Test func linearScheduleHasTheKnownLastValues() throws {
    let schedule = try NoiseSchedule.linear()
    #expect(schedule.betas.count == 1000)
    #expect(schedule.betas.first == 1e-4)
    #expect(abs(schedule.betas[999] - 0.02) < 1e-15)
    // The product of 1 − β_t, computed separately in Python.
    #expect(abs(schedule.cumulativeAlphas[999] - 4.0358297653756754e-05) < 1e-15)
  }

  @Test func cumulativeAlphasAreTheProductsOfAlphas() throws {
    let schedule = try NoiseSchedule(betas: [0.1, 0.5, 0.25])
    #expect(schedule.cumulativeAlphas == [0.9, 0.9 * 0.5, 0.9 * 0.5 * 0.75])
  }

  @Test(arguments: [
    (0, 1e-4, 0.02, "steps"), (10, 0, 0.02, "first"), (10, 1e-4, 1, "last"), (10, 0.03, 0.02, "first"),
    (10, .nan, 0.02, "first"), (10, 1e-4, .nan, "last"),
  ])
  func impossibleSettingsAreNamed(steps: Int, first: Double, last: Double, key: String) {
    let error = #expect(throws: DiffusionError.self) {
      try NoiseSchedule.linear(steps: steps, first: first, last: last)
    }
    #expect(error?.key == key)
  }

  @Test func impossibleVarianceIsNamedWithItsStep() {
    let error = #expect(throws: DiffusionError.self) { try NoiseSchedule(betas: [0.1, 1.5]) }
    #expect(error?.description == "betas: the variance of step 1 is 1.5; it must lie between 0 and 1")
  }
}
