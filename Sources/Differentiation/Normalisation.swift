import Kernels
import Tensors

extension Tape {
  /// Group normalisation (Wu and He, arXiv:1803.08494), then optionally a modulation of each image's channels, SiLU and
  /// dropout, in one pass over the data. The result is not kept for the backward pass but recomputed from x and its
  /// statistics.
  ///
  /// - Parameters:
  ///   - x: [N, …, C] in parts that are joined along the channels; statistics are per image and group of
  ///     C / groupCount channels.
  ///   - scale: [C].
  ///   - offset: [C].
  ///   - modulation: s and b of every image, [N, 2·C]: the normalised value is multiplied by 1 + s, and b is added.
  ///   - dropout: which elements to drop, or nil for none.
  package func groupNorm(
    _ x: [Variable], scale: ParameterEntry, offset: ParameterEntry, modulation: Variable? = nil, groupCount: Int,
    epsilon: Float, activation: Activation = .silu, dropout: Dropout? = nil
  ) -> Variable {
    let shape = joinedShape(x)
    let (images, channels) = (shape[0], shape[shape.count - 1])
    precondition(channels == scale.count, "\(scale.name) does not have \(channels) channels")
    precondition(channels % groupCount == 0, "\(channels) channels do not form \(groupCount) groups")
    precondition(modulation.map { $0.shape == [images, 2 * channels] } ?? true, "two numbers per image and channel")
    let statistics = GroupStatistics(images: images, groups: groupCount, epsilon: epsilon)
    let normalised = { [unowned self] (x: [Tensor], modulation: Tensor?, isAgain: Bool) -> Tensor in
      let y = Tensor(uninitialised: shape)
      profiler.measure(isAgain ? .normAgain : .normForward, Work(floats: 2 * y.count)) {
        GroupNorm.forward(
          x: x, scale: values(scale), offset: values(offset), modulation: modulation, into: y,
          statistics: statistics, activation: activation, dropout: dropout, hasStatistics: isAgain,
          workers: workers)
      }
      return y
    }
    let y = normalised(x.map(\.value), modulation?.value, false)

    let (inputs, slots) = (x.map(\.saved), x.map(\.gradient))
    let (savedModulation, modulationSlot) = (modulation?.saved, modulation?.gradient)
    return record(
      y, inputs: x + [modulation], parameters: [scale, offset],
      recomputedBy: { normalised(inputs.map(\.tensor), savedModulation?.tensor, true) }
    ) { [unowned self] dy, isShared in
      let unused = Tensor(uninitialised: [channels])
      let g = isShared ? Tensor(uninitialised: shape) : dy
      let dx = slots.map { $0.makeTarget() }
      let wantsModulation = modulationSlot?.isNeeded == true
      let dModulation = wantsModulation ? Tensor(uninitialised: [images, 2 * channels]) : nil
      profiler.measure(.normBackward, Work(floats: 3 * dy.count + dx.reduce(0) { $0 + ($1.addend?.count ?? 0) })) {
        GroupNorm.backward(
          x: inputs.map(\.tensor), dy: dy, scale: values(scale), offset: values(offset), statistics: statistics,
          g: g, dx: dx, dScale: gradients?.tensor(scale) ?? unused, dOffset: gradients?.tensor(offset) ?? unused,
          modulation: savedModulation?.tensor, dModulation: dModulation, activation: activation, dropout: dropout,
          workers: workers)
      }
      if let dModulation { modulationSlot?.add(dModulation, on: self) }
    }
  }

  /// x·sigmoid(x), elementwise.
  package func silu(_ x: Variable) -> Variable {
    let shape = x.shape
    let y = Tensor(uninitialised: shape)
    profiler.measure(.silu, Work(floats: 2 * y.count)) {
      Elementwise.siluForward(x.value, into: y, workers: workers)
    }
    let (input, slot) = (x.saved, x.gradient)
    return record(y, inputs: [x]) { [unowned self] dy, _ in
      let dx = Tensor(uninitialised: shape)
      profiler.measure(.silu, Work(floats: 3 * dx.count)) {
        Elementwise.siluBackward(input.tensor, dy: dy, into: dx, workers: workers)
      }
      slot.add(dx, on: self)
    }
  }
}
