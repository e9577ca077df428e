import Diffusion
import Testing

@Suite struct LinearCombinationTests {
  /// Images longer than the block size, and not a multiple of it.
  static let shape = [3, 1300]
  static let (x, y, z) = (normals(shape, seed: 1), normals(shape, seed: 2), normals(shape, seed: 3))

  /// ((0 + f₁·x) + f₂·y) + f₃·z for each element, with the factors of its image.
  private func plainSum(_ terms: [(factors: [Double], tensor: DoubleTensor)]) -> [UInt64] {
    (0..<Self.x.elements.count).map { index in
      terms.reduce(0) { $0 + $1.factors[index / Self.x.imageSize] * $1.tensor.elements[index] }.bitPattern
    }
  }

  private func same(_ factor: Double) -> [Double] { [factor, factor, factor] }

  private func bits(_ tensor: DoubleTensor) -> [UInt64] { tensor.elements.map(\.bitPattern) }

  @Test func aSumIsAddedFromLeftToRight() {
    let (x, y, z) = (Self.x, Self.y, Self.z)
    #expect(
      bits(DoubleTensor(0.3 * x + y - 0.7 * z)) == plainSum([(same(0.3), x), (same(1), y), (same(-0.7), z)]))
  }

  @Test func factorsAndDivisorsOfParenthesesAreThoseOfEachTerm() {
    let (x, y, z) = (Self.x, Self.y, Self.z)
    let h = 0.1
    #expect(
      bits(DoubleTensor(x + h * (0.3 * y - 0.6 * z)))
        == plainSum([(same(1), x), (same(h * 0.3), y), (same(-(h * 0.6)), z)]))
    #expect(bits(DoubleTensor((x - 0.3 * y) / 0.7)) == plainSum([(same(1 / 0.7), x), (same(-0.3 / 0.7), y)]))
  }

  @Test func anImageHasItsOwnFactorsAndDivisors() {
    let (x, y, z) = (Self.x, Self.y, Self.z)
    let (a, b) = ([0.1, -0.2, 0.3], [0.7, 3, -0.9])
    #expect(
      bits(DoubleTensor(x + a * (0.3 * y - b * z)))
        == plainSum([(same(1), x), (a.map { $0 * 0.3 }, y), (zip(a, b).map { -($0 * $1) }, z)]))
    #expect(
      bits(DoubleTensor((x - a * y) / b)) == plainSum([(b.map { 1 / $0 }, x), (zip(a, b).map { -$0 / $1 }, y)]))
  }

  @Test func nanPropagates() {
    var x = Self.x
    x.elements[1299] = .nan
    let sum = DoubleTensor(0 * x + Self.y)
    #expect(sum.elements.indices.filter { sum.elements[$0].isNaN } == [1299])
  }
}
