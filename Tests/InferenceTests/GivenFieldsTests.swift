import Datasets
import Inference
import Tensors
import Testing

@Suite struct GivenFieldsTests {
  private func dataset() throws -> FieldDataset {
    try FieldDataset(GaussianField(count: 3, size: 8, channels: 3), conditions: ["field_3", "field_1"])
  }

  @Test func givenChannelsAreTheLastOnesOfADataSet() throws {
    let dataset = try dataset()
    let given = GivenFields(dataset)
    #expect(given.count == 3)
    #expect(given.shape == [8, 8, 2])
    let samples = Tensor(uninitialised: [2, 8, 8, 3])
    for (row, sample) in [2, 0].enumerated() {
      try dataset.copyValues(of: sample, into: samples, at: row, flipped: false)
    }
    let rows = try given.rows([2, 0])
    #expect(rows.shape == [2, 8, 8, 2])
    for point in 0..<2 * 64 {
      #expect(rows[2 * point] == samples[3 * point + 1])
      #expect(rows[2 * point + 1] == samples[3 * point + 2])
    }
  }

  @Test func conditionsRepeatAndContinueWithTheFirst() throws {
    let given = GivenFields(try dataset())
    let all = try given.rows([0, 1, 2])
    let rows = try given.rows([1, 1, 3, 5])
    #expect(rows[image: 0].elements == all[image: 1].elements)
    #expect(rows[image: 1].elements == all[image: 1].elements)
    #expect(rows[image: 2].elements == all[image: 0].elements)
    #expect(rows[image: 3].elements == all[image: 2].elements)
  }

  @Test func membersHaveTheNumbersOfTheirCondition() {
    #expect(DrawnSet(first: 3, count: 4).numbers == 3..<7)
    #expect(DrawnSet(first: 3, count: 4, members: 5).numbers == 15..<35)
  }
}
