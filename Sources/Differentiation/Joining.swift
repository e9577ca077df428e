import Kernels
import Tensors

// Tensors in parts: several [N, …, C₁], [N, …, C₂], … that stand for one [N, …, C₁ + C₂ + …], joined along the
// channels. A U-Net's skip connections are of this kind; their operations access the parts in place, without copying.

extension Tape {
  /// The shape of the joined variables.
  func joinedShape(_ parts: [Variable]) -> [Int] {
    let rest = parts[0].shape.dropLast()
    precondition(parts.allSatisfy { $0.shape.dropLast() == rest }, "parts may differ only in their number of channels")
    return rest + [parts.reduce(0) { $0 + $1.value.channels }]
  }

  /// Concatenates two tensors, for operations that take no parts: [N, …, C₁] and [N, …, C₂] to [N, …, C₁ + C₂].
  package func joined(_ a: Variable, _ b: Variable) -> Variable {
    let shape = joinedShape([a, b])
    let y = Tensor(uninitialised: shape)
    let parts = [(first: 0, variable: a), (first: a.value.channels, variable: b)]
    profiler.measure(.joining, Work(floats: 2 * y.count)) {
      for (first, part) in parts {
        Rows.copy(
          Matrix(part.value), into: Matrix(y).columns(first..<first + part.value.channels), workers: workers)
      }
    }
    let slots = parts.map { (first: $0.first, shape: $0.variable.shape, slot: $0.variable.gradient) }
    return record(y, inputs: [a, b]) { [unowned self] dy, _ in
      for (first, shape, slot) in slots where slot.isNeeded {
        let dx = Tensor(uninitialised: shape)
        profiler.measure(.joining, Work(floats: 2 * dx.count)) {
          Rows.copy(Matrix(dy).columns(first..<first + dx.channels), into: Matrix(dx), workers: workers)
        }
        slot.add(dx, on: self)
      }
    }
  }
}

extension Tensor {
  /// The length of the last axis.
  var channels: Int { shape[shape.count - 1] }
}
