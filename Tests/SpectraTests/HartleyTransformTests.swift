import ReferenceKernels
import Spectra
import Tensors
import Testing

struct HartleyTransformTests {
  /// Sums of at most some hundred products of numbers of order one, in double precision.
  static let tolerance = 1e-12

  static let sizes = [(1, 1), (1, 7), (2, 2), (3, 5), (4, 4), (8, 8), (9, 17), (16, 12), (20, 33)]

  private func normals(_ height: Int, _ width: Int, seed: UInt64 = 1) -> TypedTensor<Double> {
    TypedTensor(TestData.normalDoubles(height * width, seed: seed), shape: [height, width])
  }

  private func transformed(_ plane: TypedTensor<Double>) -> TypedTensor<Double> {
    let result = plane.copied()
    HartleyTransform(height: plane.shape[0], width: plane.shape[1]).transform(result)
    return result
  }

  @Test(arguments: sizes) func coefficientsFollowTheDefinition(height: Int, width: Int) {
    let plane = normals(height, width)
    let expected = Reference.hartleyTransform(plane.elements, height: height, width: width)
    #expect(TestData.largestDifference(transformed(plane).elements, expected) < Self.tolerance)
  }

  @Test(arguments: sizes + [(64, 100), (131, 256)]) func transformIsItsOwnInverse(height: Int, width: Int) {
    let plane = normals(height, width)
    let twice = transformed(transformed(plane))
    #expect(TestData.largestDifference(twice.elements, plane.elements) < Self.tolerance)
  }

  @Test(arguments: sizes + [(64, 100), (131, 256)]) func sumsOfSquaresAreKept(height: Int, width: Int) {
    let plane = normals(height, width)
    func sumOfSquares(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 } }
    let (before, after) = (sumOfSquares(plane.elements), sumOfSquares(transformed(plane).elements))
    #expect(abs(after / before - 1) < Self.tolerance)
  }

  @Test func meanIsInTheFirstCoefficient() {
    let coefficients = transformed(TypedTensor<Double>(repeating: 2, shape: [6, 8])).elements
    #expect(abs(coefficients[0] - 2 * 48.0.squareRoot()) < Self.tolerance)
    #expect(coefficients.dropFirst().allSatisfy { abs($0) < Self.tolerance })
  }

  /// Of 4 points, all values of the table are ½ and −½: exact numbers.
  @Test func fourPointsHaveExactCoefficients() {
    let plane = TypedTensor<Double>(repeating: 0, shape: [4, 4])
    plane[0] = 4
    #expect(transformed(plane).elements == [Double](repeating: 1, count: 16))
  }

  /// Each coefficient belongs to one of the four Fourier modes (±ky, ±kx).
  @Test(arguments: sizes) func squaresOfFourModesAreThoseOfTheFourierTransform(height: Int, width: Int) {
    let (first, second) = (normals(height, width), normals(height, width, seed: 2))
    let (a, b) = (transformed(first), transformed(second))
    let fourierA = Reference.fourierTransform(first.elements, height: height, width: width)
    let fourierB = Reference.fourierTransform(second.elements, height: height, width: width)
    for row in 0...height / 2 {
      for column in 0...width / 2 {
        var modes: Set<Int> = []
        for r in [row, (height - row) % height] {
          for c in [column, (width - column) % width] { modes.insert(r * width + c) }
        }
        let ours = modes.sorted().reduce(0.0) { $0 + a[$1] * b[$1] }
        let fouriers = modes.sorted().reduce(0.0) {
          $0 + fourierA.real[$1] * fourierB.real[$1] + fourierA.imaginary[$1] * fourierB.imaginary[$1]
        }
        #expect(abs(ours - fouriers) < Self.tolerance, "mode (\(row), \(column))")
      }
    }
  }

  @Test func planesOfABatchHaveTheSameBitsOnAnyThreads() {
    let planes = TypedTensor(TestData.normalDoubles(5 * 9 * 20), shape: [5, 9, 20])
    let alone = (0..<5).flatMap { transformed(planes[image: $0]).elements }
    for pool in TestData.pools {
      let together = planes.copied()
      HartleyTransform(height: 9, width: 20).transform(together, workers: pool)
      #expect(together.elements == alone)
    }
  }
}
