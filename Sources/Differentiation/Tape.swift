import Kernels
import Tensors

/// Records the operations of one forward pass over one micro-batch, and runs them backwards.
///
/// Operations are extensions of the tape; each file has a forward pass beside its backward pass. An inference tape
/// records nothing, so activations are freed as soon as the forward code releases them. Unwinding frees each
/// operation's saved activations once they have been used.
///
/// With `Precision.bfloat16` the results of operations are rounded, on every tape, and recording tapes keep them as
/// 16-bit numbers until the backward pass needs them: see `record`.
///
/// A backward pass captures the `saved` values and the `gradient` slots of variables, never the variables themselves.
package final class Tape {
  /// The values of all parameters.
  package let parameters: Arena
  /// The arena to which parameter gradients are added; nil if none are needed. An operation computes its whole
  /// contribution before it adds it, once to each element. Two passes into one arena therefore give the same bits as
  /// the sum of two arenas.
  package let gradients: Arena?
  package let workers: WorkerPool
  package private(set) var isRecording = true
  package internal(set) var arithmetic: Arithmetic
  /// Measures the operations; nil measures nothing.
  package let profiler: Profiler?
  /// Called during `unwind` for every parameter of the recorded operations, once, as soon as nothing more will be added
  /// to its gradient.
  package var parameterGradientIsFinal: ((ParameterEntry) -> Void)?
  /// Called whenever an operation is about to read a parameter's values; it may wait until they are there.
  package var parameterIsNeeded: ((ParameterEntry) -> Void)?
  var backwardSteps: [() -> Void] = []
  /// The number of recorded operations that use a parameter, by its offset.
  private var pendingUses: [Int: Int] = [:]
  /// The number of operations so far, and the parameters they use, each once.
  private(set) var operationCount = 0
  private(set) var usedParameters: [ParameterEntry] = []
  private var usedOffsets: Set<Int> = []
  /// The index of the operation whose result is not needed; see `makeResult`.
  var lastOperation: Int?

  /// A tape that records, for training or for gradients with respect to inputs.
  ///
  /// - Parameter gradients: an arena of the parameters' layout to which gradients are added, or nil for none.
  package init(
    recordingWith parameters: Arena, gradients: Arena?, workers: WorkerPool, profiler: Profiler? = nil,
    arithmetic: Arithmetic = Arithmetic()
  ) {
    self.parameters = parameters
    self.gradients = gradients
    self.workers = workers
    self.profiler = profiler
    self.arithmetic = arithmetic
  }

  /// A tape for inference.
  package convenience init(
    inferenceWith parameters: Arena, workers: WorkerPool, profiler: Profiler? = nil,
    arithmetic: Arithmetic = Arithmetic()
  ) {
    self.init(
      recordingWith: parameters, gradients: nil, workers: workers, profiler: profiler, arithmetic: arithmetic)
    isRecording = false
  }

  /// Enters a tensor into the computation, as it is.
  package func input(_ value: Tensor, needsGradient: Bool = false) -> Variable {
    Variable(value, needsGradient: isRecording && needsGradient)
  }

  /// Runs the recorded operations backwards from `output`, whose gradient is `seed`. The tape is empty afterwards.
  package func unwind(from output: Variable, seed: Tensor) {
    precondition(isRecording, "an inference tape has nothing to unwind")
    precondition(seed.shape == output.value.shape, "the seed's shape \(seed.shape) is not \(output.value.shape)")
    output.gradient.add(seed, isShared: true, on: self)
    unwind()
  }

  func unwind() {
    while let step = backwardSteps.popLast() { step() }
  }

  var wantsParameterGradients: Bool { gradients != nil }
  var convolutionMethod: ConvolutionMethod { arithmetic.convolutionMethod }

  /// A parameter's values, as soon as they are available.
  func values(_ entry: ParameterEntry) -> Tensor {
    parameterIsNeeded?(entry)
    return parameters.tensor(entry)
  }

  /// Computes an operation's result and, if a gradient is needed, records its backward pass.
  ///
  /// With `Precision.bfloat16` the result is rounded in place, since a backward pass may keep it. Results that are
  /// recomputed instead are not rounded, nor those with one row per image, such as embeddings, which are small.
  ///
  /// - Parameters:
  ///   - recompute: recomputes the value from saved values, if that is cheaper than keeping it.
  ///   - backward: receives the gradient of the result, and whether its storage is shared; not called if no consumer
  ///     contributed to it.
  func record(
    _ value: Tensor, inputs: [Variable?], parameters: [ParameterEntry] = [],
    recomputedBy recompute: (() -> Tensor)? = nil,
    backward: @escaping (_ gradient: Tensor, _ isShared: Bool) -> Void
  ) -> Variable {
    let isRounded =
      arithmetic.precision == .bfloat16 && recompute == nil && value.shape.count > 2 && isResultNeeded
    let remake = isRounded ? round(value) : recompute
    operationCount += 1
    for parameter in parameters where usedOffsets.insert(parameter.offset).inserted { usedParameters.append(parameter) }
    let usesParameters = wantsParameterGradients && !parameters.isEmpty
    let needsGradient = isRecording && (usesParameters || inputs.contains { $0?.needsGradient == true })
    guard needsGradient else {
      return Variable(value, needsGradient: false, isRounded: isRounded, recomputedBy: isRounded ? remake : nil)
    }
    let result = Variable(value, needsGradient: true, isRounded: isRounded, recomputedBy: remake)
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
