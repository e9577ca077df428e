import Tensors

/// The modes of an H x W grid by the rounded length of their wavenumber: shell s has those with s − ½ ≤ |k| < s + ½.
///
/// A wavenumber is counted in cycles per domain along each axis, whatever the grid's shape: k = (ky, kx) with
/// ky = −H/2 … H/2 and kx = −W/2 … W/2, so that row r of the coefficients has |ky| = min(r, H − r). A grid of 64 x 128
/// points of one spacing covers a domain twice as wide as high; there, |k| = 8 stands for waves across an eighth of the
/// height or an eighth of the width. Shell 0 is the mean alone. Only shells up to min(H, W)/2 are whole: the corners of
/// the square of wavenumbers beyond it are left out unless they are asked for.
package struct Shells: Sendable, Equatable {
  /// H.
  package let height: Int
  /// W.
  package let width: Int
  /// The number of modes of each shell.
  package let modeCounts: [Int]
  /// The shell of each mode, [H, W]; −1 for those left out.
  private let shellOfMode: [Int32]

  /// The number of shells.
  package var count: Int { modeCounts.count }

  /// - Parameter includingCorners: whether every mode belongs to a shell; the outer shells then lack modes of some
  ///   directions.
  package init(height: Int, width: Int, includingCorners: Bool = false) {
    verify(height >= 1 && width >= 1, "a grid of \(height) x \(width) points has no modes")
    self.height = height
    self.width = width
    let last = includingCorners ? Int32.max : Int32(min(height, width) / 2)
    var counts: [Int] = []
    var shells = [Int32](repeating: -1, count: height * width)
    for row in 0..<height {
      for column in 0..<width {
        // |k|² is whole and (s + ½)² is not: rounding is never a matter of the last digit.
        let wavenumber = Self.wavenumber(row: row, column: column, height: height, width: width)
        let shell = Int32(wavenumber.rounded())
        guard shell <= last else { continue }
        shells[row * width + column] = shell
        while counts.count <= Int(shell) { counts.append(0) }
        counts[Int(shell)] += 1
      }
    }
    modeCounts = counts
    shellOfMode = shells
  }

  /// |k| of a coefficient's mode, in cycles per domain.
  package static func wavenumber(row: Int, column: Int, height: Int, width: Int) -> Double {
    let (ky, kx) = (min(row, height - row), min(column, width - column))
    return Double(ky * ky + kx * kx).squareRoot()
  }

  /// Σ a·b over the modes of each shell, in the order of rows.
  ///
  /// - Parameters:
  ///   - first: the coefficients of a plane, [H, W].
  ///   - second: those of another one, or the same.
  package func sums(of first: TypedTensor<Double>, _ second: TypedTensor<Double>) -> [Double] {
    verify(
      first.shape == [height, width] && second.shape == first.shape,
      "coefficients of shapes \(first.shape) and \(second.shape), not [\(height), \(width)]")
    var sums = [Double](repeating: 0, count: count)
    for (mode, shell) in shellOfMode.enumerated() where shell >= 0 {
      sums[Int(shell)].addProduct(first[mode], second[mode])
    }
    return sums
  }
}
