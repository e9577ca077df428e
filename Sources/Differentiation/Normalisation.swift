import Kernels
import Tensors

extension Tape {
  /// Group normalisation (Wu and He, arXiv:1803.08494), then optionally SiLU and dropout, in one pass over the data.
  /// Not kept for the backward pass but made again from x and its statistics.
  ///
  /// - Parameters:
  ///   - x: [N, …, C]; statistics are taken per image and group of C / groupCount channels.
  ///   - scale, offset: [C].
  ///   - dropout: which elements to drop, or nil for none.
  public func groupNorm(
    _ x: Variable, scale: ParameterEntry, offset: ParameterEntry, groupCount: Int, epsilon: Float,
    activation: Activation = .silu, dropout: Dropout? = nil
  ) -> Variable {
    let shape = x.shape
    let (images, channels) = (shape[0], shape[shape.count - 1])
    precondition(channels % groupCount == 0, "\(channels) channels do not form \(groupCount) groups")
    let geometry = GroupNormGeometry(
      images: images, pixels: x.value.count / images / channels, channels: channels, groups: groupCount,
      epsilon: epsilon)
    let means = Tensor(uninitialised: [images, groupCount])
    let inverseDeviations = Tensor(uninitialised: [images, groupCount])
    let normalised = { [unowned self] (x: Tensor, isAgain: Bool) -> Tensor in
      let y = Tensor(uninitialised: shape)
      profiler.measure(isAgain ? .normAgain : .normForward, Work(floats: 2 * y.count)) {
        GroupNorm.forward(
          x: x.pointer, scale: pointer(scale), offset: pointer(offset), y: y.pointer, means: means.pointer,
          inverseDeviations: inverseDeviations.pointer, geometry: geometry, activation: activation, dropout: dropout,
          hasStatistics: isAgain, workers: workers)
      }
      return y
    }
    let y = normalised(x.value, false)

    let (input, slot) = (x.saved, x.gradient)
    return record(
      y, inputs: [x], parameters: [scale, offset], recomputedBy: { normalised(input.tensor, true) }
    ) { [unowned self] dy, _ in
      let dScale = gradients.map { $0.pointer(to: scale) }
      let dOffset = gradients.map { $0.pointer(to: offset) }
      let unused = FloatBuffer(count: channels)
      let dx = Tensor(uninitialised: shape)
      profiler.measure(.normBackward, Work(floats: 3 * dx.count)) {
        GroupNorm.backward(
          x: input.tensor.pointer, dy: dy.pointer, scale: pointer(scale), offset: pointer(offset),
          means: means.pointer, inverseDeviations: inverseDeviations.pointer, dx: dx.pointer,
          dScale: dScale ?? unused.pointer, dOffset: dOffset ?? unused.pointer, geometry: geometry,
          activation: activation, dropout: dropout, workers: workers)
      }
      withExtendedLifetime(unused) {}
      slot.add(dx, on: self)
    }
  }

  /// x·sigmoid(x), elementwise.
  public func silu(_ x: Variable) -> Variable {
    let shape = x.shape
    let y = Tensor(uninitialised: shape)
    profiler.measure(.silu, Work(floats: 2 * y.count)) {
      Elementwise.siluForward(x: x.value.pointer, y: y.pointer, count: y.count, workers: workers)
    }
    let (input, slot) = (x.saved, x.gradient)
    return record(y, inputs: [x]) { [unowned self] dy, _ in
      let dx = Tensor(uninitialised: shape)
      profiler.measure(.silu, Work(floats: 3 * dx.count)) {
        Elementwise.siluBackward(
          x: input.tensor.pointer, dy: dy.pointer, dx: dx.pointer, count: dx.count, workers: workers)
      }
      slot.add(dx, on: self)
    }
  }
}
