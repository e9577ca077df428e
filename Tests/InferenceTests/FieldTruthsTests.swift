import Datasets
import Inference
import Tensors
import Testing

/// Fields of u, in place of some of whose values there is the mean, with their mask, and of v, which is whole.
private struct FieldsWithGaps: PhysicalFields {
  let name = "gaps"
  let count = 3
  let fieldShape = [2, 2, 3]
  let variables = [
    FieldVariable(name: "u", mean: 5, standardDeviation: 2, minimum: 0, maximum: 9),
    FieldVariable(
      name: "u_mask", units: "1", mean: 0.5, standardDeviation: 0.5, minimum: 0, maximum: 1,
      longName: "1 where u is present"),
    FieldVariable(name: "v", mean: 0, standardDeviation: 4, minimum: -8, maximum: 8),
  ]
  let coordinates = FieldCoordinates()
  let fingerprint: UInt64 = 1
  let contentMark: UInt64 = 1
  let readsFiles = false

  static func isPresent(_ sample: Int, _ point: Int) -> Bool { (sample + point) % 3 != 0 }

  func read(_ index: Int, into target: Tensor) {
    for point in 0..<4 {
      let isPresent = Self.isPresent(index, point)
      target[3 * point] = isPresent ? Float(index + 2 * point) : 5
      target[3 * point + 1] = isPresent ? 1 : 0
      target[3 * point + 2] = Float(point - index)
    }
  }
}

struct FieldTruthsTests {
  @Test func missingValuesAreNoTruths() throws {
    let truths = FieldTruths(try FieldDataset(FieldsWithGaps(), conditions: ["u_mask"]))
    let (fields, isPresent) = try truths.fields(1..<3, workers: .callingThread)
    #expect(fields.shape == [2, 2, 2, 2])
    let expected = (4..<12).flatMap { [FieldsWithGaps.isPresent($0 / 4, $0 % 4), true] }
    #expect(isPresent == expected)
  }

  /// A field that is drawn for the condition of a truth counts where that truth is present.
  @Test func drawnFieldsCountWhereTheirTruthsArePresent() throws {
    let truths = FieldTruths(try FieldDataset(FieldsWithGaps(), conditions: ["u_mask"]))
    let samples = [2, 2, 0]
    let isPresent = try truths.presence(inDrawn: Tensor(repeating: 1, shape: [3, 2, 2, 2]), for: samples)
    let expected = samples.flatMap { sample in (0..<4).flatMap { [FieldsWithGaps.isPresent(sample, $0), true] } }
    #expect(isPresent == expected)
  }

  /// A model that draws the mask too draws what stands for missing values where its mask is 0.
  @Test func drawnFieldsCountWhereTheirOwnMasksSaySo() throws {
    let truths = FieldTruths(try FieldDataset(FieldsWithGaps()))
    let fields = Tensor([1, 0.9, 2, 3, 0.4, 4, 5, -0.1, 6, 7, 0.6, 8], shape: [1, 2, 2, 3])
    let isPresent = try truths.presence(inDrawn: fields, for: nil)
    #expect(isPresent == [true, false, false, true].flatMap { [$0, true, true] })
  }

  @Test func wholeFieldsNeedNoMarks() throws {
    let truths = FieldTruths(try FieldDataset(FieldsWithGaps(), conditions: ["u", "u_mask"]))
    #expect(try truths.fields(0..<2, workers: .callingThread).isPresent == nil)
    #expect(try truths.presence(inDrawn: Tensor(repeating: 1, shape: [1, 2, 2, 1]), for: [0]) == nil)
  }
}
