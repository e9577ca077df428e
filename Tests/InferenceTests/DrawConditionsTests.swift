import Configuration
import Diffusion
import Inference
import Tensors
import Testing

@Suite struct ClassConditionsTests {
  private func configuration(
    classes: Int?, labelDropout: Double = 0, guidance: Double = 0
  ) -> RunConfiguration {
    var configuration = RunConfiguration()
    configuration.model.classes = classes
    configuration.training.labelDropout = labelDropout
    configuration.sampling.guidance = guidance
    return configuration
  }

  struct Classifier: NoisyClassifier {
    func logProbabilityGradient(_ x: Tensor, times: [Float], classes: [Int]) -> Tensor { x }
  }

  private func problem(
    _ configuration: RunConfiguration, classes: [Int?]? = nil, classifierClasses: Int? = nil
  ) -> DiffusionError? {
    do throws(DiffusionError) {
      _ = try ClassConditions(
        classes: classes, configuration: configuration, classifier: classifierClasses.map { (Classifier(), $0) })
      return nil
    } catch { return error }
  }

  @Test func withoutClassesThereIsNoCondition() throws {
    let conditions = try ClassConditions(configuration: configuration(classes: nil))
    #expect(conditions.classes == nil)
    #expect(conditions.classOf(image: 3) == nil)
  }

  @Test func classesAlternateAmongAllOrThoseRequested() throws {
    let all = try ClassConditions(configuration: configuration(classes: 3))
    #expect((0..<7).map { all.classOf(image: $0) } == [0, 1, 2, 0, 1, 2, 0])
    let some = try ClassConditions(classes: [2, 0], configuration: configuration(classes: 3))
    #expect((0..<4).map { some.classOf(image: $0) } == [2, 0, 2, 0])
  }

  @Test func impossibleConditionsAreRefusedWithARemedy() {
    let plain = configuration(classes: nil)
    let dropping = configuration(classes: 3, labelDropout: 0.1, guidance: -1.5)
    #expect(problem(plain, classes: [1])?.key == "class")
    #expect(problem(configuration(classes: nil, guidance: 1))?.description.contains("--classifier") == true)
    #expect(problem(configuration(classes: 3), classes: [3])?.problem == "there is no class 3; the classes are 0 to 2")
    #expect(problem(configuration(classes: 3, guidance: 1))?.problem.contains("training.label_dropout") == true)
    #expect(problem(configuration(classes: 3), classes: [nil])?.problem.contains("training.label_dropout") == true)
    #expect(problem(dropping, classes: [nil]) == nil)
    #expect(problem(dropping) == nil)
    #expect(problem(configuration(classes: 3)) == nil)
  }

  @Test func aClassifierMustHaveTheSameClasses() {
    #expect(problem(configuration(classes: nil, guidance: 1), classifierClasses: 4) == nil)
    #expect(problem(configuration(classes: 4, guidance: 1), classifierClasses: 4) == nil)
    #expect(problem(configuration(classes: 3, guidance: 1), classifierClasses: 4)?.key == "classifier")
    #expect(problem(configuration(classes: nil), classes: [nil], classifierClasses: 4)?.key == "class")
    #expect(problem(configuration(classes: nil), classes: [4], classifierClasses: 4)?.key == "class")
  }
}
