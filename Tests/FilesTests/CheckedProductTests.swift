import Files
import Testing

@Suite struct CheckedProductTests {
  @Test func aProductThatOverflowsIsNil() {
    #expect(checkedProduct([]) == 1)
    #expect(checkedProduct([3, 4, 5]) == 60)
    #expect(checkedProduct([1 << 31, 1 << 31]) == 1 << 62)
    #expect(checkedProduct([1 << 31, 1 << 32]) == nil)
    #expect(checkedProduct([0, .max, 2]) == 0)
  }
}
