import Tensors

/// A linear map along one axis of an image, from `inputs` to `outputs` pixels: each output is a weighted sum of a few
/// neighbouring inputs.
package struct AxisFilter: Sendable, Equatable {
  /// The terms of an output: `weights` of the inputs starting at `first` and, if they continue beyond the end of a
  /// periodic axis, `wrapped` of the inputs starting at 0. All are empty if the output is zero.
  package struct Taps: Sendable, Equatable {
    package let first: Int
    package let weights: [Float]
    package let wrapped: [Float]

    /// - Parameter terms: in ascending order of their indices, which have at most one gap.
    fileprivate init(_ terms: [Term]) {
      let start = terms.indices.dropFirst().first { terms[$0].index != terms[$0 - 1].index + 1 } ?? 0
      let (wrapped, inside) = (terms[..<start], terms[start...])
      first = inside.first?.index ?? 0
      weights = inside.map(\.weight)
      self.wrapped = wrapped.map(\.weight)
      verify(wrapped.first.map { $0.index == 0 } ?? true, "the terms of an output must be neighbours")
      verify(inside.last.map { $0.index - first + 1 == inside.count } ?? true, "there is a second gap")
    }
  }

  fileprivate struct Term {
    var index: Int
    var weight: Float
  }

  package let inputs: Int
  /// One entry for each output.
  package let taps: [Taps]

  package var outputs: Int { taps.count }

  /// Upsamples, filters and downsamples, which signal processing calls upfirdn: `up` − 1 zeros are inserted after every
  /// input, `before` and `after` zeros are added at the ends (or inputs removed, if negative), the result is convolved
  /// with `kernel` where it fits completely, and every `down`-th value is kept.
  ///
  /// - Parameter isPeriodic: whether the inputs are repeated at the ends, instead of adding zeros.
  package init(
    kernel: [Float], inputs: Int, up: Int = 1, down: Int = 1, before: Int = 0, after: Int = 0, isPeriodic: Bool = false
  ) {
    let outputs = (inputs * up + before + after - kernel.count) / down + 1
    verify(up >= 1 && down >= 1 && outputs >= 1, "a filter of \(kernel.count) taps does not fit \(inputs) inputs")
    self.inputs = inputs
    taps = (0..<outputs).map { output in
      var terms: [Term] = []
      for (index, weight) in kernel.reversed().enumerated() {
        let position = output * down + index - before
        guard position.isMultiple(of: up) else { continue }
        let input = position / up
        if isPeriodic {
          Self.add(weight, of: input.wrapped(at: inputs), to: &terms)
        } else if input >= 0 && input < inputs {
          terms.append(Term(index: input, weight: weight))
        }
      }
      return Taps(terms)
    }
  }

  /// A kernel that is longer than the axis covers some inputs several times.
  private static func add(_ weight: Float, of input: Int, to terms: inout [Term]) {
    let position = terms.firstIndex { $0.index >= input } ?? terms.count
    if position < terms.count && terms[position].index == input {
      terms[position].weight += weight
    } else {
      terms.insert(Term(index: input, weight: weight), at: position)
    }
  }

  private init(inputs: Int, taps: [Taps]) {
    self.inputs = inputs
    self.taps = taps
  }

  /// The adjoint map, which propagates gradients back: the same weights with inputs and outputs exchanged.
  package var transposed: AxisFilter {
    var result = [[Term]](repeating: [], count: inputs)
    for (output, taps) in taps.enumerated() {
      for (index, weight) in taps.weights.enumerated() {
        result[taps.first + index].append(Term(index: output, weight: weight))
      }
      for (input, weight) in taps.wrapped.enumerated() {
        result[input].append(Term(index: output, weight: weight))
      }
    }
    return AxisFilter(inputs: outputs, taps: result.map(Taps.init))
  }
}
