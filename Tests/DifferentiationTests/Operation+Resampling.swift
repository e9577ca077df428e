import Differentiation
import Kernels
import ReferenceKernels
import Tensors

extension Operation {
  static let resampling: [Operation] = [
    resampled([2, 6, 4, 20], by: .halving(.box)),
    resampled([1, 2, 10, 33], by: .halving(.binomial)),
    resampled([3, 16, 16, 16], by: .halving(.binomial)),
    resampled([2, 3, 5, 20], by: .doubling(.box)),
    resampled([1, 1, 1, 3], by: .doubling(.binomial)),
    resampled([3, 8, 5, 33], by: .doubling(.binomial)),
    resampled([2, 4, 6, 7], by: .smoothing),
    resampled([2, 3, 4, 17], by: .doublingWithRim),
    resampled([2, 4, 6, 7], by: .withoutRim),
    resampled([2, 6, 4, 20], by: .halving(.binomial), periodicity: .both),
    resampled([1, 2, 10, 33], by: .halving(.binomial), periodicity: .height),
    resampled([1, 1, 1, 3], by: .doubling(.binomial), periodicity: .both),
    resampled([3, 8, 5, 33], by: .doubling(.binomial), periodicity: .width),
    resampled([1, 3, 5, 16], by: .doubling(.box), periodicity: .both),
    resampled([2, 4, 6, 7], by: .smoothing, periodicity: .both),
    resampled([1, 2, 2, 17], by: .smoothing, periodicity: .width),
    resampled([2, 3, 4, 17], by: .doublingWithRim, periodicity: .both),
    resampled([1, 1, 2, 3], by: .doublingWithRim, periodicity: .both),
    resampled([2, 4, 6, 7], by: .withoutRim, periodicity: .both),
    scaledSum([2, 3, 5, 20], by: 0.7),
    scaledSum([2, 32, 32, 33], by: 1),
    scaledImages([3, 3, 5, 7], by: [0.25, -3, 1]),
    joined([2, 3, 5], 7, 20),
    joined([1, 1], 1, 16),
  ]

  /// The arguments of `Reference.upfirdn`.
  private struct Definition {
    var kernel: [Double]
    var up = 1
    var down = 1
    var before: Int
    var after: Int

    init(_ resampling: Resampling) {
      let binomial = [1.0, 3, 3, 1].map { $0 / 8 }
      switch resampling {
      case .halving(.box): self.init(kernel: [0.5, 0.5], down: 2, before: 0, after: 0)
      case .halving(.binomial): self.init(kernel: binomial, down: 2, before: 1, after: 1)
      case .doubling(.box): self.init(kernel: [1, 1], up: 2, before: 1, after: 0)
      case .doubling(.binomial): self.init(kernel: binomial.map { 2 * $0 }, up: 2, before: 2, after: 1)
      case .smoothing: self.init(kernel: binomial, before: 2, after: 2)
      case .doublingWithRim: self.init(kernel: binomial.map { 2 * $0 }, up: 2, before: 3, after: 2)
      case .withoutRim: self.init(kernel: [1], before: -1, after: -1)
      }
    }

    private init(kernel: [Double], up: Int = 1, down: Int = 1, before: Int, after: Int) {
      self.kernel = kernel
      self.up = up
      self.down = down
      self.before = before
      self.after = after
    }

    func apply(_ x: [Double], _ shape: [Int], _ periodicity: Periodicity) -> [Double] {
      Reference.upfirdn(
        x: x, images: shape[0], height: shape[1], width: shape[2], channels: shape[3], kernel: kernel, up: up,
        down: down, before: before, after: after, periodicity: periodicity)
    }
  }

  private static func resampled(
    _ shape: [Int], by resampling: Resampling, periodicity: Periodicity = .none
  ) -> Operation {
    @Sendable func value(_ x: [Double]) -> [Double] { Definition(resampling).apply(x, shape, periodicity) }
    return Operation(
      testDescription: "\(shape) resampled by \(resampling)\(suffix(periodicity))", inputShapes: [shape],
      parameterShapes: [], tolerance: singlePrecision,
      apply: { tape, inputs, _ in tape.resampled(inputs[0], by: resampling, periodicity: periodicity) },
      value: { inputs, _ in value(inputs[0]) },
      gradients: { inputs, _, dy in
        // The map is linear: the adjoint is the sum of dy times the image of each pixel, computed for one channel of
        // one image, since it is the same for all.
        let (images, pixels, channels) = (shape[0], shape[1] * shape[2], shape[3])
        let outPixels = dy.count / images / channels
        let responses = (0..<pixels).map { pixel in
          Definition(resampling).apply(
            (0..<pixels).map { $0 == pixel ? 1 : 0 }, [1, shape[1], shape[2], 1], periodicity)
        }
        var dx = [Double](repeating: 0, count: inputs[0].count)
        for index in dx.indices {
          let (image, pixel, c) = (index / (pixels * channels), index / channels % pixels, index % channels)
          for place in 0..<outPixels where responses[pixel][place] != 0 {
            dx[index] += responses[pixel][place] * dy[(image * outPixels + place) * channels + c]
          }
        }
        return Gradients(inputs: [dx])
      })
  }

  private static func scaledSum(_ shape: [Int], by scale: Float) -> Operation {
    Operation(
      testDescription: "\(scale) times the sum of two \(shape)", inputShapes: [shape, shape], parameterShapes: [],
      tolerance: singlePrecision, apply: { tape, inputs, _ in tape.sum(inputs[0], inputs[1], scale: scale) },
      value: { inputs, _ in zip(inputs[0], inputs[1]).map { Double(scale) * ($0 + $1) } },
      gradients: { _, _, dy in
        let scaled = dy.map { Double(scale) * $0 }
        return Gradients(inputs: [scaled, scaled])
      })
  }

  private static func scaledImages(_ shape: [Int], by factors: [Float]) -> Operation {
    @Sendable func scaled(_ x: [Double]) -> [Double] {
      x.enumerated().map { Double(factors[$0 / (x.count / factors.count)]) * $1 }
    }
    return Operation(
      testDescription: "images of \(shape) times \(factors)", inputShapes: [shape], parameterShapes: [],
      tolerance: singlePrecision, apply: { tape, inputs, _ in tape.scalingImages(inputs[0], by: factors) },
      value: { inputs, _ in scaled(inputs[0]) }, gradients: { _, _, dy in Gradients(inputs: [scaled(dy)]) })
  }

  private static func joined(_ rest: [Int], _ first: Int, _ second: Int) -> Operation {
    Operation(
      testDescription: "\(first) and \(second) channels of \(rest) joined",
      inputShapes: [rest + [first], rest + [second]],
      parameterShapes: [], tolerance: singlePrecision, apply: { tape, inputs, _ in tape.joined(inputs[0], inputs[1]) },
      value: { inputs, _ in TestData.joined(inputs[0], width: first, inputs[1], width: second) },
      gradients: { _, _, dy in
        let width = first + second
        return Gradients(inputs: [
          TestData.columns(0..<first, of: dy, width: width), TestData.columns(first..<width, of: dy, width: width),
        ])
      })
  }
}
