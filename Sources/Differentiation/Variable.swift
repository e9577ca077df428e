import Kernels
import Tensors

/// A value of the forward pass through a network.
///
/// Recorded backward passes keep its gradient and, if they need it, its value, but not the variable itself. Once the
/// forward code releases the variable, a value that is not needed or that can be recomputed is freed.
package final class Variable {
  package let value: Tensor
  /// Collects the gradient of the loss with respect to the value.
  let gradient: GradientSlot
  /// How a backward pass accesses the value later.
  let saved: SavedValue
  /// Whether an operation has rounded the value.
  let isRounded: Bool

  init(
    _ value: Tensor, needsGradient: Bool, isRounded: Bool = false, recomputedBy recompute: (() -> Tensor)? = nil
  ) {
    self.value = value
    self.isRounded = isRounded
    gradient = GradientSlot(shape: value.shape, isNeeded: needsGradient)
    saved = recompute.map { .recomputed(RecomputedValue(value, by: $0)) } ?? .kept(value)
  }

  /// A variable of a forward pass on another tape, whose gradient is accumulated in the same slot.
  init(again saved: SavedValue, gradient: GradientSlot) {
    value = saved.tensor
    self.gradient = gradient
    self.saved = saved
    isRounded = false
  }

  fileprivate init(resuming parked: ParkedVariable) {
    (value, saved) = parked.saved.separate()
    gradient = parked.gradient
    isRounded = parked.isRounded
  }

  package var shape: [Int] { value.shape }
  /// Whether anything upstream needs a gradient; operations skip work for gradients that are not needed.
  package var needsGradient: Bool { gradient.isNeeded }
  /// The gradient with respect to an input of the network, after `Tape.unwind`.
  package var inputGradient: Tensor? { gradient.tensor }
}

/// A variable that the forward pass needs again much later, such as a skip connection. Meanwhile only its 16-bit numbers
/// are kept, if it has been rounded on a recording tape.
package struct ParkedVariable {
  fileprivate let saved: SavedValue
  fileprivate let gradient: GradientSlot
  fileprivate let isRounded: Bool

  package init(_ variable: Variable) {
    saved = variable.saved
    gradient = variable.gradient
    isRounded = variable.isRounded
  }

  /// The variable, whose gradient is accumulated in the same slot.
  package func resumed() -> Variable { Variable(resuming: self) }
}

/// What a backward pass keeps of a value from the forward pass.
enum SavedValue {
  case kept(Tensor)
  case recomputed(RecomputedValue)

  var tensor: Tensor {
    switch self {
    case .kept(let tensor): tensor
    case .recomputed(let value): value.tensor
    }
  }

  /// The value for operations that come much later, and how their backward passes access it. Those come much earlier
  /// than the others', which make the value again for themselves, so that it does not stay in memory in between.
  func separate() -> (value: Tensor, saved: SavedValue) {
    switch self {
    case .kept(let tensor): return (tensor, self)
    case .recomputed(let earlier):
      let (tensor, value) = earlier.separate()
      return (tensor, .recomputed(value))
    }
  }
}

/// A value that is cheap to recompute. It lives while the forward code holds it, and again from the first backward pass
/// that uses it to the last.
final class RecomputedValue {
  private let shape: [Int]
  private weak var buffer: FloatBuffer?
  private let offset: Int
  private var remade: Tensor?
  private let recompute: () -> Tensor

  init(_ value: Tensor, by recompute: @escaping () -> Tensor) {
    shape = value.shape
    buffer = value.buffer
    offset = value.offset
    self.recompute = recompute
  }

  var tensor: Tensor {
    if let present { return present }
    let made = recompute()
    remade = made
    return made
  }

  func separate() -> (tensor: Tensor, value: RecomputedValue) {
    let tensor = present ?? recompute()
    return (tensor, RecomputedValue(tensor, by: recompute))
  }

  private var present: Tensor? {
    remade ?? buffer.map { Tensor(shape: shape, buffer: $0, offset: offset) }
  }
}

/// Accumulates the gradient of the loss with respect to a value from the value's consumers.
final class GradientSlot {
  let isNeeded: Bool
  private let shape: [Int]
  private(set) var tensor: Tensor?
  /// The gradient's storage belongs to another owner too, so it may be read but not changed in place.
  private var isShared = false

  init(shape: [Int], isNeeded: Bool) {
    self.shape = shape
    self.isNeeded = isNeeded
  }

  /// Hands over the accumulated gradient, and whether its storage is shared; nil if no consumer contributed.
  func take() -> (tensor: Tensor, isShared: Bool)? {
    defer { tensor = nil }
    return tensor.map { ($0, isShared) }
  }

  /// Adds a contribution that the slot may keep.
  func add(_ contribution: Tensor, isShared contributionIsShared: Bool = false, on tape: Tape) {
    guard isNeeded else { return }
    guard let present = tensor else {
      tensor = contribution
      isShared = contributionIsShared
      return
    }
    let sum = isShared ? Tensor(uninitialised: shape) : present
    tape.profiler.measure(.gradientAddition, Work(floats: 3 * sum.count)) {
      Elementwise.sum(present, contribution, into: sum, workers: tape.workers)
    }
    tensor = sum
    isShared = false
  }

  /// Adds a contribution that an operation computes: `compute(target, addend)` must set target = contribution + addend,
  /// where the addend, if there is one, is the target itself or has the target's shape.
  func add(computedBy compute: (_ target: Tensor, _ addend: Tensor?) -> Void) {
    guard isNeeded else { return }
    let (target, addend) = makeTarget()
    compute(target, addend)
  }

  /// The operands for an operation that computes several contributions at once: it must set target = contribution +
  /// addend, as in `add(computedBy:)`. If the gradient is not needed, the target is a temporary tensor.
  func makeTarget() -> (target: Tensor, addend: Tensor?) {
    guard isNeeded else { return (Tensor(uninitialised: shape), nil) }
    let present = tensor
    let target = present == nil || isShared ? Tensor(uninitialised: shape) : present!
    tensor = target
    isShared = false
    return (target, present)
  }
}
