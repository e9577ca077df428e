import Glibc

extension Reference {
  /// The orthonormal discrete Fourier transform of a plane, Σ x[y, z]·exp(−2πi(ry/H + sz/W)) / √(HW), [H, W].
  package static func fourierTransform(
    _ plane: [Double], height: Int, width: Int
  ) -> (real: [Double], imaginary: [Double]) {
    var (real, imaginary) = ([Double](), [Double]())
    let scale = 1 / Double(height * width).squareRoot()
    for row in 0..<height {
      for column in 0..<width {
        var (realSum, imaginarySum) = (0.0, 0.0)
        for y in 0..<height {
          for z in 0..<width {
            let turns = Double(row * y % height) / Double(height) + Double(column * z % width) / Double(width)
            realSum += plane[y * width + z] * cos(2 * .pi * turns)
            imaginarySum -= plane[y * width + z] * sin(2 * .pi * turns)
          }
        }
        real.append(scale * realSum)
        imaginary.append(scale * imaginarySum)
      }
    }
    return (real, imaginary)
  }

  /// The orthonormal discrete Hartley transform of both axes of a plane, [H, W].
  package static func hartleyTransform(_ plane: [Double], height: Int, width: Int) -> [Double] {
    func cas(_ product: Int, _ count: Int) -> Double {
      let angle = 2 * .pi * Double(product % count) / Double(count)
      return cos(angle) + sin(angle)
    }
    var coefficients: [Double] = []
    for row in 0..<height {
      for column in 0..<width {
        var sum = 0.0
        for y in 0..<height {
          for z in 0..<width { sum += plane[y * width + z] * cas(row * y, height) * cas(column * z, width) }
        }
        coefficients.append(sum / Double(height * width).squareRoot())
      }
    }
    return coefficients
  }
}
