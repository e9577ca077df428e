import Kernels
import Tensors

extension Tape {
  /// x filtered along both axes, [N, H, W, C] to [N, H′, W′, C] with the size given by `Resampling.size`. The result is
  /// not kept for the backward pass but recomputed from x.
  ///
  /// - Parameter periodicity: the axes along which x is periodic; beyond the borders of the others are zeros.
  package func resampled(
    _ x: Variable, by resampling: Resampling, periodicity: Periodicity = .none
  ) -> Variable {
    let shape = x.shape
    precondition(shape.count == 4, "only images can be resampled, not \(shape)")
    let vertical = resampling.axis(shape[1], isPeriodic: periodicity.includesHeight)
    let horizontal = resampling.axis(shape[2], isPeriodic: periodicity.includesWidth)
    let resample = { [unowned self] (x: Tensor) -> Tensor in
      let y = Tensor(uninitialised: [shape[0], vertical.outputs, horizontal.outputs, shape[3]])
      profiler.measure(.resampling, Work(floats: x.count + y.count)) {
        Resampling.apply(vertical: vertical, horizontal: horizontal, to: x, into: y, workers: workers)
      }
      return y
    }
    let (input, slot) = (x.saved, x.gradient)
    return record(resample(x.value), inputs: [x], recomputedBy: { resample(input.tensor) }) { [unowned self] dy, _ in
      slot.add { dx, addend in
        profiler.measure(.resampling, Work(floats: dy.count + dx.count + (addend?.count ?? 0))) {
          Resampling.apply(
            vertical: vertical.transposed, horizontal: horizontal.transposed, to: dy, into: dx, addend: addend,
            workers: workers)
        }
      }
    }
  }
}
