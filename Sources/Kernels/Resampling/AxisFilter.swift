import Tensors

/// A linear map along one axis of an image, from `inputs` to `outputs` pixels: each output is a weighted sum of a few
/// neighbouring inputs.
package struct AxisFilter: Sendable, Equatable {
  /// The terms of an output: `weights` of the inputs starting at `first`; empty if the output is zero.
  package struct Taps: Sendable, Equatable {
    package var first: Int
    package var weights: [Float]
  }

  package let inputs: Int
  /// One entry for each output.
  package let taps: [Taps]

  package var outputs: Int { taps.count }

  /// Upsamples, filters and downsamples, which signal processing calls upfirdn: `up` − 1 zeros are inserted after every
  /// input, `before` and `after` zeros are added at the ends (or inputs removed, if negative), the result is convolved
  /// with `kernel` where it fits completely, and every `down`-th value is kept.
  package init(kernel: [Float], inputs: Int, up: Int = 1, down: Int = 1, before: Int = 0, after: Int = 0) {
    let outputs = (inputs * up + before + after - kernel.count) / down + 1
    verify(up >= 1 && down >= 1 && outputs >= 1, "a filter of \(kernel.count) taps does not fit \(inputs) inputs")
    self.inputs = inputs
    taps = (0..<outputs).map { output in
      var taps = Taps(first: 0, weights: [])
      for (index, weight) in kernel.reversed().enumerated() {
        let position = output * down + index - before
        guard position >= 0, position.isMultiple(of: up), position / up < inputs else { continue }
        if taps.weights.isEmpty { taps.first = position / up }
        taps.weights.append(weight)
      }
      return taps
    }
  }

  private init(inputs: Int, taps: [Taps]) {
    self.inputs = inputs
    self.taps = taps
  }

  /// The adjoint map, which propagates gradients back: the same weights with inputs and outputs exchanged.
  package var transposed: AxisFilter {
    var result = [Taps](repeating: Taps(first: 0, weights: []), count: inputs)
    for (output, taps) in taps.enumerated() {
      for (index, weight) in taps.weights.enumerated() {
        let input = taps.first + index
        if result[input].weights.isEmpty { result[input].first = output }
        result[input].weights.append(weight)
      }
    }
    return AxisFilter(inputs: outputs, taps: result)
  }
}
