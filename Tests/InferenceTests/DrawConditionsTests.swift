import Configuration
import Datasets
import Diffusion
import Inference
import Tensors
import Testing

@Suite struct DrawConditionsTests {
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
      _ = try DrawConditions(
        classes: classes, configuration: configuration, classifier: classifierClasses.map { (Classifier(), $0) })
      return nil
    } catch { return error }
  }

  @Test func withoutClassesThereIsNoCondition() throws {
    let conditions = try DrawConditions(configuration: configuration(classes: nil))
    #expect(conditions.classes == nil)
    #expect(conditions.classOf(image: 3) == nil)
  }

  @Test func classesAlternateAmongAllOrThoseRequested() throws {
    let all = try DrawConditions(configuration: configuration(classes: 3))
    #expect((0..<7).map { all.classOf(image: $0) } == [0, 1, 2, 0, 1, 2, 0])
    let some = try DrawConditions(classes: [2, 0], configuration: configuration(classes: 3))
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

  /// The configuration of a model of the first of two fields, for which the second is given, and four conditions.
  private func conditional(
    classes: Int? = nil, labelDropout: Double = 0, conditionDropout: Double = 0, guidance: Double = 0
  ) throws -> (RunConfiguration, GivenFields) {
    var model = configuration(classes: classes, labelDropout: labelDropout, guidance: guidance)
    model.data.conditions = ["field_2"]
    model.training.conditionDropout = conditionDropout
    let source = GaussianField(count: 4, size: 8, channels: 2)
    return (model, GivenFields(try FieldDataset(source, conditions: ["field_2"])))
  }

  @Test func membersShareTheConditionAndItsClass() throws {
    let (configuration, given) = try conditional(classes: 2)
    let conditions = try DrawConditions(given: given, members: 3, configuration: configuration)
    #expect(conditions.draw(7) == DrawNumber(image: 2, member: 1))
    #expect((0..<7).map { conditions.classOf(image: $0) } == [0, 0, 0, 1, 1, 1, 0])
    let rows = try #require(try conditions.given(for: 1..<5))
    #expect(rows.shape == [4, 8, 8, 1])
    #expect(try rows.elements == given.rows([0, 0, 1, 1]).elements)
  }

  @Test func givenChannelsAreRequiredWhereTheNetworkTakesThem() throws {
    let (configuration, _) = try conditional()
    let found = try #require(problem(configuration))
    #expect(found.key == "condition")
    #expect(found.problem.contains("field_2"))
  }

  @Test func guidanceExtrapolatesOnlyFromWhatTrainingHid() throws {
    func problem(of model: (RunConfiguration, GivenFields)) -> DiffusionError? {
      do throws(DiffusionError) {
        _ = try DrawConditions(given: model.1, configuration: model.0)
        return nil
      } catch { return error }
    }
    #expect(try problem(of: conditional()) == nil)
    let always = problem(of: try conditional(guidance: 1))
    #expect(always?.key == "guidance" && always?.problem.contains("training.condition_dropout") == true)
    #expect(try problem(of: conditional(conditionDropout: 0.1, guidance: 1)) == nil)
    // Either of both is enough.
    #expect(try problem(of: conditional(classes: 3, labelDropout: 0.1, guidance: 1)) == nil)
    #expect(try problem(of: conditional(classes: 3, conditionDropout: 0.1, guidance: 1)) == nil)
    let both = problem(of: try conditional(classes: 3, guidance: 1))
    #expect(both?.problem.contains("training.label_dropout") == true)
  }

  @Test func anEnsembleHasNumbersForOnlySoManyCorrections() throws {
    let (model, given) = try conditional()
    var configuration = model
    configuration.sampling.corrections = 256
    let one = try DrawConditions(given: given, configuration: configuration)
    #expect(one.members == 1)
    do throws(DiffusionError) {
      _ = try DrawConditions(given: given, members: 2, configuration: configuration)
      Issue.record("two members would share numbers")
    } catch { #expect(error.key == "corrections") }
  }

  /// Fields have no classes.
  @Test func fieldsAreNotAdvisedToHaveClasses() {
    func problem(_ classes: [Int?]?, guidance: Double) -> DiffusionError? {
      do throws(DiffusionError) {
        _ = try DrawConditions(
          classes: classes, isOfFields: true, configuration: configuration(classes: nil, guidance: guidance))
        return nil
      } catch { return error }
    }
    #expect(problem(nil, guidance: 0) == nil)
    #expect(problem([1], guidance: 0)?.problem == "the model draws fields, which have no classes")
    let guided = problem(nil, guidance: 1)
    #expect(guided?.key == "guidance" && guided?.problem.contains("data.conditions") == true)
    #expect(guided?.problem.contains("classes") == false)
  }

  @Test func aClassifierMustHaveTheSameClasses() {
    #expect(problem(configuration(classes: nil, guidance: 1), classifierClasses: 4) == nil)
    #expect(problem(configuration(classes: 4, guidance: 1), classifierClasses: 4) == nil)
    #expect(problem(configuration(classes: 3, guidance: 1), classifierClasses: 4)?.key == "classifier")
    #expect(problem(configuration(classes: nil), classes: [nil], classifierClasses: 4)?.key == "class")
    #expect(problem(configuration(classes: nil), classes: [4], classifierClasses: 4)?.key == "class")
  }
}
