import Diffusion
import Tensors
import Testing

@Suite struct ConditionsTests {
  private let conditions = Conditions(
    classes: [3, nil, 5], fields: Tensor((0..<12).map { Float($0) }, shape: [3, 1, 2, 2]))

  @Test func rowsAreThoseOfTheImages() throws {
    let rows = conditions.rows([2, 0, 2])
    #expect(rows.classes == [5, 3, 5])
    let fields = try #require(rows.fields)
    #expect(fields.shape == [3, 1, 2, 2])
    #expect(fields.elements == [8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11])
    #expect(Conditions.none.rows([0, 1]).classes == nil && Conditions.none.rows([0, 1]).fields == nil)
  }

  @Test func allRowsInOrderAreNotCopied() throws {
    let fields = try #require(conditions.rows([0, 1, 2]).fields)
    #expect(fields.buffer === conditions.fields?.buffer)
  }

  @Test(arguments: [true, false], [true, false])
  func onlyWhatIsToBeHiddenIs(classes: Bool, fields: Bool) {
    let hidden = conditions.hidden(classes: classes, fields: fields)
    let expectedClasses: [Int?] = classes ? [nil, nil, nil] : [3, nil, 5]
    let expectedFields: [Float] = (0..<12).map { fields ? 0 : Float($0) }
    #expect(hidden.classes == expectedClasses)
    #expect(hidden.fields?.elements == expectedFields)
    let nothing = Conditions.none.hidden(classes: classes, fields: fields)
    #expect(nothing.classes == nil && nothing.fields == nil)
  }

  /// Guidance with a scale needs a second evaluation, and nothing else does.
  @Test func evaluationsPerEstimate() {
    let hidden = conditions.hidden(classes: true, fields: true)
    #expect(Guidance.none.evaluationsPerEstimate == 1)
    #expect(Guidance.conditional(conditions).evaluationsPerEstimate == 1)
    #expect(Guidance.classifierFree(conditions, from: hidden, scale: 0).evaluationsPerEstimate == 1)
    #expect(Guidance.classifierFree(conditions, from: hidden, scale: 0.5).evaluationsPerEstimate == 2)
  }
}
