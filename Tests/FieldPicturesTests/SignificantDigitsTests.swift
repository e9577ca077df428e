import FieldPictures
import Testing

struct SignificantDigitsTests {
  @Test(
    arguments: [
      (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (273.15, "273"), (28.04, "28"), (0.5, "0.5"), (1013.25, "1010"),
      (-12345, "-12300"), (99999, "1e5"), (101325, "1.01e5"), (0.00123456, "0.00123"), (0.000123456, "1.23e-4"),
      (-9.999e-4, "-0.001"), (1e-300, "1e-300"), (1.5e38, "1.5e38"), (9.996, "10"), (100, "100"),
      (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
    ] as [(Double, String)])
  func numbersHaveThreeDigits(value: Double, text: String) {
    #expect(significantDigits(value) == text)
  }

  @Test func moreDigitsCanBeAsked() {
    #expect(significantDigits(101325, count: 6) == "1.01325e5")
    #expect(significantDigits(273.154, count: 5) == "273.15")
    #expect(significantDigits(0.0123456, count: 5) == "0.012346")
  }

  /// A number read back differs by half a unit of the last digit at most.
  @Test func textsAreNumbersCloseToTheirs() {
    var value = 1.234567e-12
    while value < 1e12 {
      for number in [value, -value] {
        let text = Double(significantDigits(number))
        #expect(text.map { abs($0 - number) <= 0.005 * abs(number) * 1.0001 } == true, "\(number)")
      }
      value *= 1.7
    }
  }
}
