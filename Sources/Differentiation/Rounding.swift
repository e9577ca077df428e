import Kernels
import Tensors

extension Tape {
  /// Rounds a value to 16-bit numbers in place.
  ///
  /// - Returns: a function that makes the value again, with the same bits, from a copy in half the memory; nil on an
  ///   inference tape, which needs no copy.
  func round(_ value: Tensor) -> (() -> Tensor)? {
    let halves = isRecording ? TypedTensor<UInt16>(uninitialised: value.shape) : nil
    profiler.measure(.rounding, Work(floats: 2 * value.count + (halves?.count ?? 0) / 2)) {
      BFloat16.roundInPlace(value, copyingTo: halves, workers: workers)
    }
    guard let halves else { return nil }
    return { [unowned self] in
      let y = Tensor(uninitialised: halves.shape)
      profiler.measure(.widening, Work(floats: y.count + y.count / 2)) {
        BFloat16.widen(halves, into: y, workers: workers)
      }
      return y
    }
  }

  /// Runs `body` without rounding results, for operations at the ends of a network, whose values have few channels.
  package func inSinglePrecision<Result>(_ body: () -> Result) -> Result {
    let precision = arithmetic.precision
    arithmetic.precision = .float32
    defer { arithmetic.precision = precision }
    return body()
  }
}
