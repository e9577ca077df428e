import Kernels
import Tensors

/// A value on its way through a network, and later the gradient of the loss with respect to it.
public final class Variable {
  public let value: Tensor
  /// Whether anything upstream wants a gradient; operations skip what nobody needs.
  public let needsGradient: Bool
  private var gradient: Tensor?
  /// The gradient's storage is also somebody else's, so it may be read but not added to in place.
  private var gradientIsShared = false

  init(_ value: Tensor, needsGradient: Bool) {
    self.value = value
    self.needsGradient = needsGradient
  }

  /// Hands the accumulated gradient over, with whether its storage is shared; nil if no consumer contributed.
  func takeGradient() -> (tensor: Tensor, isShared: Bool)? {
    defer { gradient = nil }
    return gradient.map { ($0, gradientIsShared) }
  }

  /// Adds a contribution that the variable may keep.
  func addGradient(_ contribution: Tensor, isShared: Bool = false, workers: WorkerPool) {
    guard needsGradient else { return }
    guard let present = gradient else {
      gradient = contribution
      gradientIsShared = isShared
      return
    }
    if gradientIsShared {
      let sum = Tensor(uninitialised: present.shape)
      Elementwise.sum(present.pointer, contribution.pointer, into: sum.pointer, count: sum.count, workers: workers)
      gradient = sum
      gradientIsShared = false
    } else {
      Elementwise.add(contribution.pointer, into: present.pointer, count: present.count, workers: workers)
    }
  }

  /// Adds a contribution that an operation computes: `compute(target, addend)` must set target = contribution + addend,
  /// where the addend, if there is one, is the target itself or has the target's shape.
  func addGradient(computedBy compute: (_ target: Tensor, _ addend: Tensor?) -> Void) {
    guard needsGradient else { return }
    let present = gradient
    let target = present == nil || gradientIsShared ? Tensor(uninitialised: value.shape) : present!
    compute(target, present)
    gradient = target
    gradientIsShared = false
  }

  /// The gradient that arrived at an input of the network, after `Tape.unwind`.
  public var inputGradient: Tensor? { gradient }
}

/// Records the operations of one forward pass over one micro-batch, and runs them backwards.
///
/// Operations are extensions of the tape, each file holding a forward pass and its backward pass side by side. An
/// inference tape records nothing, so activations are freed as soon as the forward code lets go of them. Unwinding
/// frees each operation's saved activations as it passes.
public final class Tape {
  /// Values of all parameters.
  public let parameters: Arena
  /// Where parameter gradients are added; nil when nobody wants them.
  public let gradients: Arena?
  public let workers: WorkerPool
  public let isRecording: Bool
  /// Called during `unwind` for every parameter of the recorded operations, once, as soon as nothing more will be added
  /// to its gradient.
  public var parameterGradientIsFinal: ((ParameterEntry) -> Void)?
  let kernels: TransformedKernels?
  private var backwardSteps: [() -> Void] = []
  /// How many recorded operations use a parameter, by its offset.
  private var pendingUses: [Int: Int] = [:]

  /// A tape that records, for training or for gradients with respect to inputs.
  ///
  /// - Parameter gradients: an arena of the parameters' layout to which gradients are added, or nil for none.
  public init(recordingWith parameters: Arena, gradients: Arena?, workers: WorkerPool) {
    self.parameters = parameters
    self.gradients = gradients
    self.workers = workers
    self.isRecording = true
    self.kernels = nil
  }

  /// A tape for inference.
  ///
  /// - Parameter kernels: keeps transformed convolution kernels between passes with the same parameter values.
  public init(inferenceWith parameters: Arena, kernels: TransformedKernels? = nil, workers: WorkerPool) {
    self.parameters = parameters
    self.gradients = nil
    self.workers = workers
    self.isRecording = false
    self.kernels = kernels
  }

  /// Enters a tensor into the computation.
  public func input(_ value: Tensor, needsGradient: Bool = false) -> Variable {
    Variable(value, needsGradient: isRecording && needsGradient)
  }

  /// Runs the recorded operations backwards from `output`, whose gradient is `seed`. The tape is empty afterwards.
  public func unwind(from output: Variable, seed: Tensor) {
    precondition(isRecording, "an inference tape has nothing to unwind")
    precondition(seed.shape == output.value.shape, "the seed's shape \(seed.shape) is not \(output.value.shape)")
    output.addGradient(seed, isShared: true, workers: workers)
    while let step = backwardSteps.popLast() { step() }
  }

  var wantsParameterGradients: Bool { gradients != nil }

  func pointer(_ entry: ParameterEntry) -> UnsafeMutablePointer<Float> { parameters.pointer(to: entry) }

  /// Makes an operation's result and, if a gradient will be wanted, records its backward pass. `backward` receives the
  /// gradient of the result; it is not called if no consumer contributed any.
  func record(
    _ value: Tensor, inputs: [Variable?], parameters: [ParameterEntry] = [],
    backward: @escaping (_ gradient: Tensor, _ isShared: Bool) -> Void
  ) -> Variable {
    let usesParameters = wantsParameterGradients && !parameters.isEmpty
    let needsGradient = isRecording && (usesParameters || inputs.contains { $0?.needsGradient == true })
    let result = Variable(value, needsGradient: needsGradient)
    if needsGradient {
      backwardSteps.append { [unowned self] in
        if let (gradient, isShared) = result.takeGradient() { backward(gradient, isShared) }
        if usesParameters { parameters.forEach { finishUse(of: $0) } }
      }
      if usesParameters { parameters.forEach { pendingUses[$0.offset, default: 0] += 1 } }
    }
    return result
  }

  private func finishUse(of parameter: ParameterEntry) {
    pendingUses[parameter.offset]! -= 1
    if pendingUses[parameter.offset] == 0 { parameterGradientIsFinal?(parameter) }
  }
}

/// Winograd-transformed convolution kernels, kept between forward passes that use the same parameter values, as the
/// steps of a sampler do.
public final class TransformedKernels {
  private var buffers: [Int: FloatBuffer] = [:]

  public init() {}

  func buffer(for entry: ParameterEntry, make: () -> FloatBuffer) -> FloatBuffer {
    if let present = buffers[entry.offset] { return present }
    let made = make()
    buffers[entry.offset] = made
    return made
  }
}
