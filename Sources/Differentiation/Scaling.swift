import Kernels
import Tensors

extension Tape {
  /// scale·(a + b), elementwise.
  package func sum(_ a: Variable, _ b: Variable, scale: Float = 1) -> Variable {
    precondition(a.shape == b.shape, "\(a.shape) cannot be added to \(b.shape)")
    let y = Tensor(uninitialised: a.shape)
    profiler.measure(.scaling, Work(floats: 3 * y.count)) {
      Elementwise.scaledSum(a.value, b.value, by: scale, into: y, workers: workers)
    }
    let (da, db) = (a.gradient, b.gradient)
    return record(y, inputs: [a, b]) { [unowned self] gradient, isShared in
      let (dy, isShared) = multiple(of: gradient, isShared: isShared, by: scale)
      // Both slots now hold the same storage.
      da.add(dy, isShared: isShared || db.isNeeded, on: self)
      db.add(dy, isShared: isShared || da.isNeeded, on: self)
    }
  }

  /// Image n multiplied by factors[n].
  package func scalingImages(_ x: Variable, by factors: [Float]) -> Variable {
    precondition(x.shape[0] == factors.count, "each image needs one factor")
    let scaled = { [unowned self] (x: Tensor) -> Tensor in
      let y = Tensor(uninitialised: x.shape)
      profiler.measure(.scaling, Work(floats: 2 * y.count)) {
        for (image, factor) in factors.enumerated() {
          Elementwise.multiple(x[image..<image + 1], by: factor, into: y[image..<image + 1], workers: workers)
        }
      }
      return y
    }
    let slot = x.gradient
    return record(scaled(x.value), inputs: [x]) { [unowned self] dy, _ in slot.add(scaled(dy), on: self) }
  }

  /// y ×= scale, within an operation.
  func multiply(_ y: Tensor, by scale: Float) {
    if scale != 1 { Elementwise.multiple(y, by: scale, into: y, workers: workers) }
  }

  /// scale·gradient, in the gradient's storage unless that is shared.
  func multiple(of gradient: Tensor, isShared: Bool, by scale: Float) -> (gradient: Tensor, isShared: Bool) {
    if scale == 1 { return (gradient, isShared) }
    let result = isShared ? Tensor(uninitialised: gradient.shape) : gradient
    profiler.measure(.scaling, Work(floats: 2 * result.count)) {
      Elementwise.multiple(gradient, by: scale, into: result, workers: workers)
    }
    return (result, false)
  }
}
