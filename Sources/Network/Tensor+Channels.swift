import Kernels
import Tensors

extension Tensor {
  /// A copy of some channels of the images, [N, H, W, range.count].
  package func channels(_ range: Range<Int>, workers: WorkerPool = .callingThread) -> Tensor {
    let result = Tensor(uninitialised: shape.dropLast() + [range.count])
    Rows.copy(Matrix(self).columns(range), into: Matrix(result), workers: workers)
    return result
  }
}
