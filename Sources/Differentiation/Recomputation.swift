import Kernels
import Tensors

extension Tape {
  /// Runs a part of a network and keeps only its inputs and its result: the backward pass recomputes all values in
  /// between (Chen, Xu, Zhang, Guestrin: "Training deep nets with sublinear memory cost", arXiv:1604.06174).
  ///
  /// The results are bit-identical: the backward pass makes the same additions to the same gradients in the same order.
  ///
  /// - Parameters:
  ///   - inputs: all variables that the part uses.
  ///   - body: the part, on the tape and with the variables that it is given, which are those of `inputs` in order. It
  ///     is called again in the backward pass and must then do the same. It must not read values itself, since the
  ///     result of the last operation is not recomputed.
  package func recomputing(
    _ inputs: [Variable], _ body: @escaping (_ inputs: [Variable], _ tape: Tape) -> Variable
  ) -> Variable {
    guard isRecording else { return body(inputs, self) }
    let arithmetic = arithmetic
    let forward = Tape(inferenceWith: parameters, workers: workers, profiler: profiler, arithmetic: arithmetic)
    forward.parameterIsNeeded = parameterIsNeeded
    let made = body(inputs, forward)
    let value = made.value
    let used = wantsParameterGradients ? forward.usedParameters : []
    guard !used.isEmpty || inputs.contains(where: \.needsGradient) else {
      return Variable(value, needsGradient: false)
    }

    // Rounding again changes nothing, but makes the copy that an inference tape does not need.
    let result = Variable(
      value, needsGradient: true, isRounded: made.isRounded, recomputedBy: made.isRounded ? round(value) : nil)
    let slot = result.gradient
    let saved = inputs.map { ($0.saved, $0.gradient) }
    let operationCount = forward.operationCount
    startUse(of: used)
    backwardSteps.append { [unowned self] in
      let again = Tape(
        recordingWith: parameters, gradients: gradients, workers: workers, profiler: profiler, arithmetic: arithmetic)
      again.lastOperation = operationCount - 1
      again.parameterGradientIsFinal = { [unowned self] in finishUse(of: $0) }
      guard hand(slot, to: again, body, saved) else { return used.forEach { finishUse(of: $0) } }
      again.unwind()
    }
    return result
  }

  /// Recomputes a part on another tape and passes it the gradient of the result; returns false if there is none. A
  /// separate function, so that only the tape keeps values and gradients alive afterwards.
  private func hand(
    _ slot: GradientSlot, to tape: Tape, _ body: ([Variable], Tape) -> Variable, _ saved: [(SavedValue, GradientSlot)]
  ) -> Bool {
    guard let (gradient, isShared) = slot.take() else { return false }
    let inputs = saved.map { Variable(again: $0.0, gradient: $0.1) }
    body(inputs, tape).gradient.add(gradient, isShared: isShared, on: tape)
    return true
  }

  /// Runs an operation's forward kernel and measures it, except for the last operation of a recomputed part, whose
  /// result is not needed. For operations whose backward pass does not need the result either.
  func makeResult(_ kind: @autoclosure () -> Profiler.Kind, _ work: @autoclosure () -> Work, _ body: () -> Void) {
    if isResultNeeded { profiler.measure(kind(), work(), body) }
  }

  /// Whether the result of the operation being recorded is needed.
  var isResultNeeded: Bool { operationCount != lastOperation }
}
