import Diffusion
import RealModule

/// Images drawn from a few normal distributions, N(mean_k, standardDeviation_k²·I) with probability weight_k: all their
/// properties are known in closed form at every time of a process.
struct GaussianMixture: Sendable {
  struct Component: Sendable {
    var weight: Double
    /// One number per element of an image.
    var mean: [Double]
    var standardDeviation: Double
  }

  var components: [Component]

  init(_ components: [Component]) { self.components = components }

  /// One component with the same mean for every element.
  init(mean: Double, standardDeviation: Double, size: Int) {
    self.init([Component(weight: 1, mean: [Double](repeating: mean, count: size), standardDeviation: standardDeviation)]
    )
  }

  /// log(weight_k·q(x_t | k)) of each component.
  func logJoint(_ x: ArraySlice<Double>, at marginal: Marginal) -> [Double] {
    components.map { component in
      let variance = totalVariance(component, marginal)
      var square = 0.0
      for (value, mean) in zip(x, component.mean) {
        let difference = value - marginal.signal * mean
        square += difference * difference
      }
      return Double.log(component.weight) - square / (2 * variance) - Double(x.count) / 2
        * Double.log(2 * Double.pi * variance)
    }
  }

  /// log q(x_t).
  func logDensity(_ x: ArraySlice<Double>, at marginal: Marginal) -> Double {
    let joint = logJoint(x, at: marginal)
    let maximum = joint.max()!
    return maximum + Double.log(joint.reduce(0) { $0 + Double.exp($1 - maximum) })
  }

  /// p(k | x_t).
  func responsibilities(_ x: ArraySlice<Double>, at marginal: Marginal) -> [Double] {
    let joint = logJoint(x, at: marginal)
    let total = logDensity(x, at: marginal)
    return joint.map { Double.exp($0 - total) }
  }

  /// E[x_0 | x_t].
  func expectedOriginal(_ x: ArraySlice<Double>, at marginal: Marginal) -> [Double] {
    let shares = responsibilities(x, at: marginal)
    var result = [Double](repeating: 0, count: x.count)
    for (share, component) in zip(shares, components) {
      let gain =
        marginal.signal * component.standardDeviation * component.standardDeviation / totalVariance(component, marginal)
      for (index, value) in x.enumerated() {
        result[index] += share * (component.mean[index] + gain * (value - marginal.signal * component.mean[index]))
      }
    }
    return result
  }

  private func totalVariance(_ component: Component, _ marginal: Marginal) -> Double {
    let kept = marginal.signal * component.standardDeviation
    return kept * kept + marginal.sigma * marginal.sigma
  }
}

/// The optimal denoiser for a mixture, in double precision.
struct ExactDenoiser: Denoiser {
  let data: GaussianMixture
  let process: any ForwardProcess

  func estimate(_ x: DoubleTensor, at times: [Double], images: [Int]) -> Estimate {
    let marginals = times.map { process.marginal(at: $0) }
    var original = DoubleTensor(shape: x.shape)
    for image in 0..<x.imageCount {
      let range = x.range(ofImage: image)
      original.elements.replaceSubrange(range, with: data.expectedOriginal(x.elements[range], at: marginals[image]))
    }
    return Estimate(original: original, of: x, at: marginals)
  }
}

/// The optimal denoiser for a mixture, with its derivative by differences in double precision.
struct DifferentiableExactDenoiser: DifferentiableDenoiser {
  let exact: ExactDenoiser

  func estimate(_ x: DoubleTensor, at times: [Double], images: [Int]) -> Estimate {
    exact.estimate(x, at: times, images: images)
  }

  func estimateWithPullback(
    _ x: DoubleTensor, at times: [Double], images: [Int]
  ) -> (estimate: Estimate, pullback: Estimate.Pullback) {
    (
      estimate(x, at: times, images: images),
      { part, vector in
        // The Jacobians are symmetric, since both estimates are gradients: vectorᵀ·J = J·vector.
        func moved(_ width: Double) -> DoubleTensor {
          let there = estimate(DoubleTensor(x + width * vector), at: times, images: images)
          return part == .noise ? there.noise : there.original
        }
        let width = 1e-5
        return DoubleTensor(0.5 / width * moved(width) - 0.5 / width * moved(-width))
      }
    )
  }
}

/// A denoiser given by a closure.
struct ClosureDenoiser: Denoiser {
  let body: (DoubleTensor, [Double]) throws -> Estimate

  func estimate(_ x: DoubleTensor, at times: [Double], images: [Int]) throws -> Estimate { try body(x, times) }
}

/// Standard normal numbers.
func normals(_ shape: [Int], seed: UInt64) -> DoubleTensor {
  DoubleTensor(Latents.draw(shape: shape, seed: seed, firstImage: 0))
}

/// Mean and variance of all elements.
func moments(_ x: [Double]) -> (mean: Double, variance: Double) {
  let mean = x.reduce(0, +) / Double(x.count)
  return (mean, x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count - 1))
}

func largestDifference(_ a: DoubleTensor, _ b: DoubleTensor) -> Double {
  zip(a.elements, b.elements).map { abs($0 - $1) }.max() ?? 0
}
