import Kernels
import Tensors

/// Records the operations of one forward pass over one micro-batch, and runs them backwards.
///
/// Operations are extensions of the tape, each file holding a forward pass and its backward pass side by side. An
/// inference tape records nothing, so activations are freed as soon as the forward code lets go of them. Unwinding
/// frees each operation's saved activations as it passes.
///
/// A backward pass captures the `saved` values and the `gradient` slots of variables, never the variables themselves.
public final class Tape {
  /// Values of all parameters.
  public let parameters: Arena
  /// Where parameter gradients are added; nil when nobody wants them. An operation computes its whole contribution before
  /// it adds it, once to each element: so two passes into one arena make the same bits as the sum of two arenas.
  public let gradients: Arena?
  public let workers: WorkerPool
  public let isRecording: Bool
  public let convolutionMethod: ConvolutionMethod
  /// Measures the operations; nil measures nothing.
  public let profiler: Profiler?
  /// Called during `unwind` for every parameter of the recorded operations, once, as soon as nothing more will be added
  /// to its gradient.
  public var parameterGradientIsFinal: ((ParameterEntry) -> Void)?
  /// Called whenever an operation is about to read a parameter's values; it may wait until they are there.
  public var parameterIsNeeded: ((ParameterEntry) -> Void)?
  var backwardSteps: [() -> Void] = []
  /// How many recorded operations use a parameter, by its offset.
  private var pendingUses: [Int: Int] = [:]
  /// How many operations there were, and which parameters they used, each once.
  private(set) var operationCount = 0
  private(set) var usedParameters: [ParameterEntry] = []
  private var usedOffsets: Set<Int> = []
  /// The number of the operation whose result nobody needs; see `makeResult`.
  var lastOperation: Int?

  private init(
    _ parameters: Arena, gradients: Arena?, isRecording: Bool, workers: WorkerPool, profiler: Profiler?,
    convolutionMethod: ConvolutionMethod
  ) {
    self.parameters = parameters
    self.gradients = gradients
    self.isRecording = isRecording
    self.workers = workers
    self.profiler = profiler
    self.convolutionMethod = convolutionMethod
  }

  /// A tape that records, for training or for gradients with respect to inputs.
  ///
  /// - Parameter gradients: an arena of the parameters' layout to which gradients are added, or nil for none.
  public convenience init(
    recordingWith parameters: Arena, gradients: Arena?, workers: WorkerPool, profiler: Profiler? = nil,
    convolutionMethod: ConvolutionMethod = .winograd
  ) {
    self.init(
      parameters, gradients: gradients, isRecording: true, workers: workers, profiler: profiler,
      convolutionMethod: convolutionMethod)
  }

  /// A tape for inference.
  public convenience init(
    inferenceWith parameters: Arena, workers: WorkerPool, profiler: Profiler? = nil,
    convolutionMethod: ConvolutionMethod = .winograd
  ) {
    self.init(
      parameters, gradients: nil, isRecording: false, workers: workers, profiler: profiler,
      convolutionMethod: convolutionMethod)
  }

  /// Enters a tensor into the computation.
  public func input(_ value: Tensor, needsGradient: Bool = false) -> Variable {
    Variable(value, needsGradient: isRecording && needsGradient)
  }

  /// Runs the recorded operations backwards from `output`, whose gradient is `seed`. The tape is empty afterwards.
  public func unwind(from output: Variable, seed: Tensor) {
    precondition(isRecording, "an inference tape has nothing to unwind")
    precondition(seed.shape == output.value.shape, "the seed's shape \(seed.shape) is not \(output.value.shape)")
    output.gradient.add(seed, isShared: true, on: self)
    unwind()
  }

  func unwind() {
    while let step = backwardSteps.popLast() { step() }
  }

  var wantsParameterGradients: Bool { gradients != nil }

  /// A parameter's values, once they are there.
  func values(_ entry: ParameterEntry) -> Tensor {
    parameterIsNeeded?(entry)
    return parameters.tensor(entry)
  }

  /// Makes an operation's result and, if a gradient will be wanted, records its backward pass.
  ///
  /// - Parameters:
  ///   - recompute: makes the value again from saved values, where that is cheaper than to keep it.
  ///   - backward: receives the gradient of the result, and whether it is stored elsewhere too; not called if no
  ///     consumer contributed any.
  func record(
    _ value: Tensor, inputs: [Variable?], parameters: [ParameterEntry] = [],
    recomputedBy recompute: (() -> Tensor)? = nil,
    backward: @escaping (_ gradient: Tensor, _ isShared: Bool) -> Void
  ) -> Variable {
    operationCount += 1
    for parameter in parameters where usedOffsets.insert(parameter.offset).inserted { usedParameters.append(parameter) }
    let usesParameters = wantsParameterGradients && !parameters.isEmpty
    let needsGradient = isRecording && (usesParameters || inputs.contains { $0?.needsGradient == true })
    guard needsGradient else { return Variable(value, needsGradient: false) }
    let result = Variable(value, needsGradient: true, recomputedBy: recompute)
    let slot = result.gradient
    backwardSteps.append { [unowned self] in
      if let (gradient, isShared) = slot.take() { backward(gradient, isShared) }
      if usesParameters { parameters.forEach { finishUse(of: $0) } }
    }
    if usesParameters { startUse(of: parameters) }
    return result
  }

  func startUse(of parameters: [ParameterEntry]) {
    parameters.forEach { pendingUses[$0.offset, default: 0] += 1 }
  }

  func finishUse(of parameter: ParameterEntry) {
    pendingUses[parameter.offset]! -= 1
    if pendingUses[parameter.offset] == 0 { parameterGradientIsFinal?(parameter) }
  }
}
