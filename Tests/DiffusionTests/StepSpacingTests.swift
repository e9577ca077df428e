import Diffusion
import Testing

@Suite struct StepSpacingTests {
  /// Like the timesteps of diffusers' DDPMScheduler, ascending.
  @Test func spacedStepsAgreeWithDiffusers() throws {
    #expect(try StepSpacing.linspace.steps(4, of: 1000) == [0, 333, 666, 999])
    #expect(try StepSpacing.leading.steps(4, of: 1000) == [0, 250, 500, 750])
    #expect(try StepSpacing.trailing.steps(4, of: 1000) == [249, 499, 749, 999])
    #expect(try StepSpacing.leading.steps(3, of: 1000) == [0, 333, 666])
    #expect(try StepSpacing.trailing.steps(3, of: 1000) == [332, 666, 999])
    #expect(try StepSpacing.linspace.stepsBeforeImage(4, of: 1000) == [250, 500, 749, 999])
    #expect(try StepSpacing.leading.stepsBeforeImage(4, of: 1000) == [200, 400, 600, 800])
    #expect(try StepSpacing.trailing.stepsBeforeImage(4, of: 1000) == [249, 499, 749, 999])
  }

  /// numpy's `linspace` of one number is its start.
  @Test func singleStepAgreesWithDiffusers() throws {
    #expect(try StepSpacing.linspace.steps(1, of: 1000) == [0])
    #expect(try StepSpacing.leading.steps(1, of: 1000) == [0])
    #expect(try StepSpacing.trailing.steps(1, of: 1000) == [999])
    #expect(try StepSpacing.linspace.stepsBeforeImage(1, of: 1000) == [999])
  }

  @Test(arguments: StepSpacing.allCases)
  func stepsAscendWithoutRepetition(_ spacing: StepSpacing) throws {
    for count in [1, 2, 3, 50, 250, 333, 999, 1000] {
      let steps = try spacing.steps(count, of: 1000)
      #expect(steps.count == count && steps.first! >= 0 && steps.last! <= 999)
      #expect(zip(steps, steps.dropFirst()).allSatisfy(<))
    }
    #expect(try spacing.steps(1000, of: 1000) == Array(0..<1000))
  }

  @Test(arguments: [0, -1, 1001])
  func impossibleCountsAreRefused(count: Int) {
    let error = #expect(throws: DiffusionError.self) { try StepSpacing.linspace.steps(count, of: 1000) }
    #expect(error?.key == "steps")
  }

  /// Without the first of 1000 steps there are 999.
  @Test(arguments: [StepSpacing.leading, .linspace])
  func solversThatEndAtTheImageOmitTheFirstStep(_ spacing: StepSpacing) throws {
    #expect(try spacing.stepsBeforeImage(999, of: 1000) == Array(1...999))
    let error = #expect(throws: DiffusionError.self) { try spacing.stepsBeforeImage(1000, of: 1000) }
    #expect(error?.key == "steps")
    #expect(try StepSpacing.trailing.stepsBeforeImage(1000, of: 1000) == Array(0...999))
  }
}
