import Tensors
import Testing

@Suite struct ProcessorSetTests {
  @Test(arguments: [
    ([0], "0"), ([1, 0], "0-1"), ([3, 5, 4, 8], "3-5,8"), ([0, 2, 4], "0,2,4"),
    ([10, 9, 120, 121, 7], "7,9-10,120-121"), ([], ""),
  ])
  func isWrittenAndReadInLinuxsFormat(numbers: [Int], text: String) {
    let set = ProcessorSet(numbers)
    #expect(set.description == text)
    #expect(ProcessorSet(text) == set)
  }

  @Test(arguments: ["a", "1-", "-1", "3-2", "1-2-3", "0x1"])
  func otherTextsAreRefused(text: String) {
    #expect(ProcessorSet(text) == nil)
  }

  @Test func thisProcessMayUseAProcessor() {
    let usable = ProcessorSet.usable
    #expect(usable.count >= 1)
    #expect(ProcessorSet(usable.description) == usable)
  }
}
