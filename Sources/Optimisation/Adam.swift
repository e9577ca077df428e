import MicroKernels
import RealModule
import Tensors

/// Adam (Kingma, Ba: "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1) over one shard of the
/// parameters, with the moments of that shard.
///
/// The operations and their order are those of PyTorch's `torch.optim.Adam`, in 32-bit floats. Elements are updated
/// independently, so neither threads nor the division into shards change any bit. Padding (zero parameter, zero
/// gradient) stays zero.
package final class Adam: Sendable {
  package struct Settings: Sendable, Equatable {
    /// β₁, the decay rate of the first moment per step; in [0, 1).
    package var firstMomentDecay: Double
    /// β₂, the decay rate of the second moment per step; in [0, 1).
    package var secondMomentDecay: Double
    /// ε, added to the square root of the second moment; above 0.
    package var epsilon: Double

    package init(firstMomentDecay: Double = 0.9, secondMomentDecay: Double = 0.999, epsilon: Double = 1e-8) {
      precondition((0..<1).contains(firstMomentDecay) && (0..<1).contains(secondMomentDecay) && epsilon > 0)
      self.firstMomentDecay = firstMomentDecay
      self.secondMomentDecay = secondMomentDecay
      self.epsilon = epsilon
    }
  }

  package let settings: Settings
  /// m, the moving average of the gradients; zeros at first. Checkpoints read and write it.
  package let firstMoment: FloatBuffer
  /// v, the moving average of the squared gradients; zeros at first. Checkpoints read and write it.
  package let secondMoment: FloatBuffer

  /// - Parameter count: the number of floats in the shard; whole blocks of `ParameterLayout.blockSize`.
  package init(count: Int, settings: Settings = Settings()) {
    self.settings = settings
    firstMoment = FloatBuffer(repeating: 0, count: count)
    secondMoment = FloatBuffer(repeating: 0, count: count)
  }

  /// The number of floats in the shard.
  package var count: Int { firstMoment.count }

  /// One step of some elements: θ ← θ − η · m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ˢ) and v̂ = v / (1 − β₂ˢ) at step s.
  /// - Parameters:
  ///   - part: which of the shard's floats, in whole blocks; by default all of them.
  ///   - parameters: θ of the part; overwritten.
  ///   - gradients: of the part.
  ///   - gradientScale: the factor by which the gradients are multiplied first, such as that of clipping.
  ///   - learningRate: η.
  ///   - step: s, the number of this update, counted from 1.
  package func update(
    _ part: Range<Int>? = nil, parameters: Tensor, gradients: Tensor, gradientScale: Float,
    learningRate: Double, step: Int, workers: WorkerPool
  ) {
    let part = part ?? 0..<count
    let (firstMoments, secondMoments) = (firstMoment[part], secondMoment[part])
    verify(parameters.count == part.count && gradients.count == part.count, "parameters and gradients of \(part)")
    precondition(step >= 1, "steps are counted from 1")
    let firstCorrection = 1 - Double.pow(settings.firstMomentDecay, Double(step))
    let secondCorrection = 1 - Double.pow(settings.secondMomentDecay, Double(step))
    let scale = Vector(repeating: gradientScale)
    let firstWeight = Vector(repeating: Float(1 - settings.firstMomentDecay))
    let secondDecay = Vector(repeating: Float(settings.secondMomentDecay))
    let secondWeight = Vector(repeating: Float(1 - settings.secondMomentDecay))
    let secondDivisor = Vector(repeating: Float(secondCorrection.squareRoot()))
    let epsilon = Vector(repeating: Float(settings.epsilon))
    let stepSize = Vector(repeating: Float(-learningRate / firstCorrection))

    forEachPart(ofShard: part.count, workers) { range in
      for index in stride(from: range.lowerBound, to: range.upperBound, by: vectorWidth) {
        let gradient = gradients[vector: index] * scale
        var first: Vector = firstMoments[vector: index]
        first += firstWeight * (gradient - first)
        let second = secondMoments[vector: index] * secondDecay + secondWeight * gradient * gradient
        let denominator = second.squareRoot() / secondDivisor + epsilon
        parameters[vector: index] += stepSize * first / denominator
        firstMoments[vector: index] = first
        secondMoments[vector: index] = second
      }
    }
  }
}
