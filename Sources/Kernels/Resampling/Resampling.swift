import MicroKernels
import Tensors

/// Filters images along both axes, which may change their size.
///
/// Pixels outside an image count as zero or, along a periodic axis, are those of the opposite side.
package enum Resampling: Sendable, Hashable {
  /// The kernel along each axis, up to a factor.
  package enum Filter: Sendable, Hashable {
    /// [1, 1]: pixels are repeated, or four pixels are averaged.
    case box
    /// [1, 3, 3, 1], as in StyleGAN2 (Karras et al., arXiv:1912.04958) and NCSN++ (Song et al., arXiv:2011.13456,
    /// appendix H).
    case binomial
  }

  /// Halves the sides; constant images keep their value.
  case halving(Filter)
  /// Doubles the sides; constant images keep their value, except at a border of zeros, which a binomial filter darkens.
  case doubling(Filter)
  /// Smooths with the binomial filter before a 3x3 convolution of stride 2 without padding: the sides grow by one
  /// pixel.
  case smoothing
  /// Doubles with the binomial filter before a 3x3 convolution, including the pixels around the image that the
  /// convolution covers: the sides are doubled and grow by two pixels.
  case doublingWithRim
  /// Removes the outermost pixels.
  case withoutRim

  /// The map along an axis of `inputs` pixels. Halving requires an even number.
  package func axis(_ inputs: Int, isPeriodic: Bool = false) -> AxisFilter {
    func filter(_ kernel: [Float], up: Int = 1, down: Int = 1, before: Int, after: Int) -> AxisFilter {
      AxisFilter(
        kernel: kernel, inputs: inputs, up: up, down: down, before: before, after: after, isPeriodic: isPeriodic)
    }
    switch self {
    case .halving(let kind):
      verify(inputs.isMultiple(of: 2), "\(inputs) pixels cannot be halved")
      let pad = kind.taps.count / 2 - 1
      return filter(kind.normalised(to: 1), down: 2, before: pad, after: pad)
    case .doubling(let kind):
      let pad = kind.taps.count / 2
      return filter(kind.normalised(to: 2), up: 2, before: pad, after: pad - 1)
    case .smoothing:
      return filter(Filter.binomial.normalised(to: 1), before: 2, after: 2)
    case .doublingWithRim:
      return filter(Filter.binomial.normalised(to: 2), up: 2, before: 3, after: 2)
    case .withoutRim:
      return filter([1], before: -1, after: -1)
    }
  }

  /// The height and width of the result for an image.
  package func size(height: Int, width: Int) -> (height: Int, width: Int) {
    (axis(height).outputs, axis(width).outputs)
  }

  /// y = the image filtered by `vertical` along its height and by `horizontal` along its width, plus `addend`.
  ///
  /// - Parameters:
  ///   - x: [N, vertical.inputs, horizontal.inputs, C].
  ///   - y: [N, vertical.outputs, horizontal.outputs, C]; overwritten.
  ///   - addend: like y, and may be y; nil for none.
  package static func apply(
    vertical: AxisFilter, horizontal: AxisFilter, to x: Tensor, into y: Tensor, addend: Tensor? = nil,
    workers: WorkerPool
  ) {
    verify(x.shape.count == 4, "images are [N, H, W, C], not \(x.shape)")
    let (images, channels) = (x.shape[0], x.shape[3])
    verify(x.shape == [images, vertical.inputs, horizontal.inputs, channels], "x does not fit the filters")
    verify(y.shape == [images, vertical.outputs, horizontal.outputs, channels], "y does not fit the filters")
    verify(addend.map { $0.shape == y.shape } ?? true, "the addend must have the result's shape")
    let (inRow, outRow) = (horizontal.inputs * channels, horizontal.outputs * channels)
    workers.forEach(images * vertical.outputs) { row in
      let (image, taps) = (row / vertical.outputs, vertical.taps[row % vertical.outputs])
      let source = x.pointer + image * vertical.inputs * inRow
      let (target, added) = (y.pointer + row * outRow, addend.map { UnsafePointer($0.pointer + row * outRow) })
      withScratch(inRow) { combined in
        weightedSum(of: source, apart: inRow, taps, into: combined, addend: nil, count: inRow)
        for (column, taps) in horizontal.taps.enumerated() {
          weightedSum(
            of: combined, apart: channels, taps, into: target + column * channels,
            addend: added.map { $0 + column * channels }, count: channels)
        }
      }
    }
    withExtendedLifetime(addend) {}
  }

  /// target[i] = addend[i] + Σ over the terms k of weight[k]·inputs[k·distance + i], in their order.
  @inline(__always)
  private static func weightedSum(
    of inputs: UnsafePointer<Float>, apart distance: Int, _ taps: AxisFilter.Taps,
    into target: UnsafeMutablePointer<Float>, addend: UnsafePointer<Float>?, count: Int
  ) {
    let source = inputs + taps.first * distance
    taps.weights.withUnsafeBufferPointer { weights in
      taps.wrapped.withUnsafeBufferPointer { wrapped in
        @inline(__always)
        func step(_ i: Int, _ lanes: Int) {
          var sum = Vector()
          for k in 0..<weights.count {
            sum = sum.adding(weights[k], times: load(source + (k * distance + i), lanes))
          }
          for k in 0..<wrapped.count {
            sum = sum.adding(wrapped[k], times: load(inputs + (k * distance + i), lanes))
          }
          if let addend { sum += load(addend + i, lanes) }
          store(sum, target + i, lanes)
        }
        forEachVector(count, step)
      }
    }
  }
}

extension Resampling.Filter {
  fileprivate var taps: [Float] {
    switch self {
    case .box: [1, 1]
    case .binomial: [1, 3, 3, 1]
    }
  }

  /// Scaled to the sum `sum`, a power of two, so that all weights are exact.
  fileprivate func normalised(to sum: Float) -> [Float] {
    let total = taps.reduce(0, +)
    return taps.map { $0 * (sum / total) }
  }
}
