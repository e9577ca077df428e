import Datasets
import RealModule
import Spectra
import Tensors
import Testing

struct GaussianFieldTests {
  private func values(_ field: GaussianField, _ index: Int) -> Tensor {
    let values = Tensor(uninitialised: field.shape)
    field.copyValues(of: index, into: values)
    return values
  }

  /// The orthonormal coefficients of a field's channels, [C, H·W].
  private func coefficients(_ field: GaussianField, _ index: Int) -> TypedTensor<Double> {
    let (size, channels) = (field.shape[0], field.shape[2])
    let values = values(field, index)
    let planes = TypedTensor<Double>(uninitialised: [channels, size, size])
    for element in 0..<values.count {
      planes[element % channels * size * size + element / channels] = Double(values[element])
    }
    HartleyTransform(height: size, width: size).transform(planes)
    return planes
  }

  @Test func fieldsAreReproducibleAndDistinct() {
    let field = GaussianField(count: 20, size: 8, channels: 2)
    let all = (0..<20).map { values(field, $0).elements }
    #expect(Set(all).count == 20)
    #expect(all[7] == values(GaussianField(count: 9, size: 8, channels: 2), 7).elements)
    #expect(field.shape == [8, 8, 2])
    let test = GaussianField(count: 20, size: 8, channels: 2, split: .test)
    #expect(Set(all).isDisjoint(with: (0..<20).map { values(test, $0).elements }))
    // A field is written into any view.
    let batch = Tensor(repeating: 0, shape: [3, 8, 8, 2])
    field.copyValues(of: 7, into: batch[image: 1])
    #expect(batch[image: 1].elements == all[7] && batch[image: 2].elements.allSatisfy { $0 == 0 })
  }

  @Test func fingerprintDependsOnTheGeometryAndTheSplit() {
    let fields = [
      GaussianField(), GaussianField(count: 9), GaussianField(size: 16), GaussianField(channels: 2),
      GaussianField(split: .test),
    ]
    #expect(Set(fields.map(\.fingerprint)).count == fields.count)
    #expect(GaussianField().fingerprint == fields[0].fingerprint)
  }

  @Test(arguments: [15, 16]) func powerFollowsTheSpectrum(size: Int) {
    let samples = 400
    let field = GaussianField(count: samples, size: size)
    let expected = GaussianSpectrum.values(size: size)
    let shells = Shells(height: size, width: size, includingCorners: true)
    var (power, mean) = ([Double](repeating: 0, count: shells.count), 0.0)
    for index in 0..<samples {
      let planes = coefficients(field, index)
      for (shell, sum) in shells.sums(of: planes[image: 0], planes[image: 0]).enumerated() {
        power[shell] += sum / Double(samples)
        mean += sum / Double(samples * size * size)
      }
    }
    let spectrum = TypedTensor(expected, shape: [size, size])
    let ones = TypedTensor<Double>(repeating: 1, shape: [size, size])
    let sums = shells.sums(of: spectrum, ones)
    let squares = shells.sums(of: spectrum, spectrum)
    for shell in 0..<shells.count {
      // The square of a normal number of variance S has the variance 2·S².
      let standardError = (2 * squares[shell] / Double(samples)).squareRoot()
      #expect(abs(power[shell] - sums[shell]) < 4 * standardError, "shell \(shell)")
    }
    let standardError = (2 * squares.reduce(0, +) / Double(samples)).squareRoot() / Double(size * size)
    #expect(abs(mean - 1) < 4 * standardError)
  }

  @Test func channelsHaveTheirCorrelations() {
    let (samples, size, channels) = (60, 16, 4)
    let field = GaussianField(count: samples, size: size, channels: channels)
    let spectrum = GaussianSpectrum.values(size: size)
    // Coefficients divided by their standard deviations are independent from mode to mode.
    var products = [Double](repeating: 0, count: channels * channels)
    for index in 0..<samples {
      let planes = coefficients(field, index)
      for mode in 0..<size * size {
        for i in 0..<channels {
          for j in 0..<channels {
            let product = planes[i * size * size + mode] * planes[j * size * size + mode]
            products[i * channels + j] += product / spectrum[mode] / Double(samples * size * size)
          }
        }
      }
    }
    for i in 0..<channels {
      for j in 0..<channels {
        let expected = Double.pow(0.5, abs(i - j))
        let standardError = ((1 + expected * expected) / Double(samples * size * size)).squareRoot()
        #expect(abs(products[i * channels + j] - expected) < 4 * standardError, "channels \(i) and \(j)")
      }
    }
  }
}

/// The spectrum by its definition.
enum GaussianSpectrum {
  /// S of each mode of a square grid, with mean 1: k₀ = 3 and p = 2.
  static func values(size: Int) -> [Double] {
    let values = (0..<size * size).map { mode in
      let (row, column) = (mode / size, mode % size)
      let (ky, kx) = (Double(min(row, size - row)), Double(min(column, size - column)))
      let base = 1 + (kx * kx + ky * ky) / 9
      return 1 / (base * base)
    }
    let mean = values.reduce(0, +) / Double(values.count)
    return values.map { $0 / mean }
  }
}
