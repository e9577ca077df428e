import Configuration
import Diffusion
import Inference
import Tensors
import Testing

@Suite struct ClassConditionsTests {
  private func configuration(classes: Int?, labelDropout: Double = 0) -> RunConfiguration {
    var configuration = RunConfiguration()
    configuration.model.classes = classes
    configuration.training.labelDropout = labelDropout
    return configuration
  }

  struct Classifier: NoisyClassifier {
    func logProbabilityGradient(_ x: Tensor, times: [Float], classes: [Int]) -> Tensor { x }
  }

  private func problem(
    _ request: ClassConditions.Request, _ configuration: RunConfiguration, classifierClasses: Int? = nil
  ) -> DiffusionError? {
    do throws(DiffusionError) {
      _ = try ClassConditions(
        request, configuration: configuration, classifier: classifierClasses.map { (Classifier(), $0) })
      return nil
    } catch { return error }
  }

  @Test func withoutClassesNothingIsTold() throws {
    let conditions = try ClassConditions(configuration: configuration(classes: nil))
    #expect(conditions.classes == nil)
    #expect(conditions.classOf(image: 3) == nil)
  }

  @Test func allClassesComeInTurnUnlessSomeAreAskedFor() throws {
    let all = try ClassConditions(configuration: configuration(classes: 3))
    #expect((0..<7).map { all.classOf(image: $0) } == [0, 1, 2, 0, 1, 2, 0])
    let some = try ClassConditions(.init(classes: [2, 0]), configuration: configuration(classes: 3))
    #expect((0..<4).map { some.classOf(image: $0) } == [2, 0, 2, 0])
  }

  @Test func whatCannotWorkIsRefusedWithWhatWould() {
    let (plain, told, dropping) = (
      configuration(classes: nil), configuration(classes: 3), configuration(classes: 3, labelDropout: 0.1)
    )
    #expect(problem(.init(classes: [1]), plain)?.key == "class")
    #expect(problem(.init(guidance: 1), plain)?.description.contains("--classifier") == true)
    #expect(problem(.init(classes: [3]), told)?.problem == "there is no class 3; they are 0 to 2")
    #expect(problem(.init(guidance: 1), told)?.problem.contains("training.label_dropout") == true)
    #expect(problem(.init(classes: [nil]), told)?.problem.contains("training.label_dropout") == true)
    #expect(problem(.init(guidance: .nan), dropping)?.key == "guidance")
    #expect(problem(.init(classes: [nil]), dropping) == nil)
    #expect(problem(.init(guidance: -1.5), dropping) == nil)
    #expect(problem(.init(guidance: 0), told) == nil)
  }

  @Test func aClassifierMustKnowTheSameClasses() {
    #expect(problem(.init(guidance: 1), configuration(classes: nil), classifierClasses: 4) == nil)
    #expect(problem(.init(guidance: 1), configuration(classes: 4), classifierClasses: 4) == nil)
    #expect(problem(.init(guidance: 1), configuration(classes: 3), classifierClasses: 4)?.key == "classifier")
    #expect(problem(.init(classes: [nil]), configuration(classes: nil), classifierClasses: 4)?.key == "class")
    #expect(problem(.init(classes: [4]), configuration(classes: nil), classifierClasses: 4)?.key == "class")
  }
}
