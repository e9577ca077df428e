import Evaluation
import Glibc
import ReferenceKernels
import Tensors

enum TestFeatures {
  /// Independent standard normal numbers, the same on every run.
  static func normals(_ count: Int, dimension: Int, seed: UInt64) -> Features {
    Features(TestData.normals(count * dimension, seed: seed), dimension: dimension)
  }

  /// Like features after a rectifier: correlated, non-negative, many of them zero.
  static func rectified(_ count: Int, dimension: Int, seed: UInt64, shift: Float = 0) -> Features {
    let factors = normals(count, dimension: 8, seed: seed)
    let weights = normals(8, dimension: dimension, seed: 99)
    let noise = normals(count, dimension: dimension, seed: seed + 1)
    let (factorValues, weightValues, noiseValues) = (factors.values, weights.values, noise.values)
    var values: [Float] = []
    for image in 0..<count {
      for index in 0..<dimension {
        var sum = shift + 0.3 * noiseValues[image * dimension + index]
        for factor in 0..<8 {
          sum += 0.4 * factorValues[image * 8 + factor] * weightValues[factor * dimension + index]
        }
        values.append(max(0, sum))
      }
    }
    return Features(values, dimension: dimension)
  }

  /// Pools of one, two and three threads.
  static let pools = [1, 2, 3].map { WorkerPool(threadCount: $0) }
}
