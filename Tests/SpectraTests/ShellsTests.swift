import RealModule
import ReferenceKernels
import Spectra
import Tensors
import Testing

struct ShellsTests {
  /// Sums of some hundred squares of order one, in double precision.
  static let tolerance = 1e-11

  @Test(arguments: [(1, 1), (4, 4), (5, 7), (8, 6), (16, 12), (9, 24)], [false, true])
  func shellSumsAreThoseOfTheFourierTransform(size: (Int, Int), includingCorners: Bool) {
    let (height, width) = size
    let planes = TypedTensor(TestData.normalDoubles(2 * height * width), shape: [2, height, width])
    let fourier = (0..<2).map {
      Reference.fourierTransform(planes[image: $0].elements, height: height, width: width)
    }
    HartleyTransform(height: height, width: width).transform(planes)
    let shells = Shells(height: height, width: width, includingCorners: includingCorners)
    for (first, second) in [(0, 0), (1, 1), (0, 1)] {
      var expected = [Double](repeating: 0, count: shells.count)
      var counts = [Int](repeating: 0, count: shells.count)
      for row in 0..<height {
        for column in 0..<width {
          // Frequencies as numpy.fft.fftfreq has them.
          let ky = row <= (height - 1) / 2 ? row : row - height
          let kx = column <= (width - 1) / 2 ? column : column - width
          let shell = Int((Double(ky * ky + kx * kx).squareRoot() + 0.5).rounded(.down))
          guard shell < shells.count else { continue }
          let mode = row * width + column
          counts[shell] += 1
          expected[shell] += fourier[first].real[mode] * fourier[second].real[mode]
          expected[shell] += fourier[first].imaginary[mode] * fourier[second].imaginary[mode]
        }
      }
      let sums = shells.sums(of: planes[image: first], planes[image: second])
      #expect(TestData.largestDifference(sums, expected) < Self.tolerance)
      #expect(shells.modeCounts == counts)
    }
  }

  @Test func shellsOfAGridAreCounted() {
    // (0, 0); four of length 1 and four of √2; lengths 2, √5 (Nyquist's row and column have one sign only).
    #expect(Shells(height: 4, width: 4).modeCounts == [1, 8, 6])
    #expect(Shells(height: 4, width: 4, includingCorners: true).modeCounts == [1, 8, 6, 1])
    #expect(Shells(height: 1, width: 6).modeCounts == [1])
    #expect(Shells(height: 64, width: 128).count == 33)
    for (height, width) in [(5, 9), (64, 64), (12, 40)] {
      #expect(Shells(height: height, width: width, includingCorners: true).modeCounts.reduce(0, +) == height * width)
    }
  }

  /// cos(2π(3y/H + 4x/W)) has |k| = 5 and a mean square of ½, whatever the grid's shape.
  @Test(arguments: [(16, 16), (12, 30)]) func waveIsInItsShell(height: Int, width: Int) {
    let plane = TypedTensor<Double>(uninitialised: [height, width])
    for y in 0..<height {
      for x in 0..<width {
        plane[y * width + x] = Double.cos(2 * .pi * (3 * Double(y) / Double(height) + 4 * Double(x) / Double(width)))
      }
    }
    HartleyTransform(height: height, width: width).transform(plane)
    let sums = Shells(height: height, width: width).sums(of: plane, plane)
    for (shell, sum) in sums.enumerated() {
      let expected = shell == 5 ? Double(height * width) / 2 : 0
      #expect(abs(sum - expected) < Self.tolerance, "shell \(shell)")
    }
  }
}
