import Tensors

extension GroupNorm {
  /// y = dropout(act(x̂·scale + offset)), x̂ = (x − mean) / √(variance + epsilon) over each image's groups; with a modulation
  /// by s and b, y = dropout(act((x̂·scale + offset)·(1 + s) + b)).
  ///
  /// An image's result does not depend on the other images.
  ///
  /// - Parameters:
  ///   - x: [N, …, C₁], [N, …, C₂], …: the parts of a tensor [N, …, C], joined along the channels.
  ///   - scale: [C], as `offset`.
  ///   - modulation: s and b of each image's channels, [N, 2·C]; nil for none.
  ///   - y: [N, …, C]; overwritten. May be x, if that is one part.
  ///   - statistics: written for the backward pass, or read if they are the result of an earlier call with the same x:
  ///     y is then bit-identical to the earlier result.
  public static func forward(
    x: [Tensor], scale: Tensor, offset: Tensor, modulation: Tensor? = nil, into y: Tensor,
    statistics: GroupStatistics, activation: Activation, dropout: Dropout?, hasStatistics: Bool = false,
    workers: WorkerPool
  ) {
    let geometry = GroupNormGeometry(y.shape, statistics)
    geometry.check(x, scale: scale, offset: offset, modulation: modulation)
    forward(
      x: x.map(ChannelPart.init), scale: scale.pointer, offset: offset.pointer,
      modulation: modulation.map { UnsafePointer($0.pointer) }, y: y.pointer, means: statistics.means.pointer,
      inverseStandardDeviations: statistics.inverseStandardDeviations.pointer, geometry: geometry,
      activation: activation,
      dropout: dropout, hasStatistics: hasStatistics, workers: workers)
    withExtendedLifetime((x, modulation, statistics)) {}
  }

  /// Computes the gradients of `forward`, given dy = ∂loss/∂y; dropout's mask is recomputed.
  ///
  /// - Parameters:
  ///   - dy: like y.
  ///   - g: like y: scratch memory for the gradient before the activation, needed unless there is neither activation
  ///     nor dropout; may be dy.
  ///   - dx: one target for each part of x, with the same shape; overwritten with the gradient plus the addend, which
  ///     may be the target. May be g or dy, if it is one part.
  ///   - dScale: [C]; accumulated, as `dOffset`: image by image, in order.
  ///   - modulation: as in `forward`.
  ///   - dModulation: like the modulation; overwritten. nil if it is not needed.
  public static func backward(
    x: [Tensor], dy: Tensor, scale: Tensor, offset: Tensor, statistics: GroupStatistics, g: Tensor,
    dx: [(target: Tensor, addend: Tensor?)], dScale: Tensor, dOffset: Tensor, modulation: Tensor? = nil,
    dModulation: Tensor? = nil, activation: Activation, dropout: Dropout?, workers: WorkerPool
  ) {
    let geometry = GroupNormGeometry(dy.shape, statistics)
    geometry.check(x, scale: scale, offset: offset, modulation: modulation)
    geometry.check(dx.map(\.target), scale: dScale, offset: dOffset, modulation: dModulation)
    verify(g.count == dy.count && x.count == dx.count, "one gradient per part, and scratch memory like dy")
    verify(dx.allSatisfy { $0.addend == nil || $0.addend!.count == $0.target.count }, "an addend must fit the gradient")
    backward(
      x: x.map(ChannelPart.init), dy: dy.pointer, scale: scale.pointer, offset: offset.pointer,
      means: statistics.means.pointer, inverseStandardDeviations: statistics.inverseStandardDeviations.pointer,
      g: g.pointer,
      dx: dx.map { ChannelPartGradient($0.target.pointer, addend: $0.addend.map { UnsafePointer($0.pointer) }) },
      dScale: dScale.pointer, dOffset: dOffset.pointer, modulation: modulation.map { UnsafePointer($0.pointer) },
      dModulation: dModulation?.pointer, geometry: geometry, activation: activation, dropout: dropout,
      workers: workers)
    withExtendedLifetime((x, dx, modulation, dModulation, statistics)) {}
  }
}

/// The statistics of x that the backward pass needs: the mean and 1 / √(variance + epsilon) of each image's groups.
public struct GroupStatistics {
  /// Added to each variance.
  let epsilon: Float
  /// [N, groups].
  let means: Tensor
  let inverseStandardDeviations: Tensor

  /// Undefined until written.
  public init(images: Int, groups: Int, epsilon: Float) {
    self.epsilon = epsilon
    means = Tensor(uninitialised: [images, groups])
    inverseStandardDeviations = Tensor(uninitialised: [images, groups])
  }
}

extension GroupNormGeometry {
  /// - Parameter shape: [N, …, C].
  init(_ shape: [Int], _ statistics: GroupStatistics) {
    let (images, groups) = (statistics.means.shape[0], statistics.means.shape[1])
    verify(
      shape.count >= 2 && shape[0] == images && groups > 0 && shape[shape.count - 1] % groups == 0,
      "\(shape) does not have \(images) images and \(groups) groups of channels")
    self.init(
      images: images, pixels: shape.dropFirst().dropLast().reduce(1, *), channels: shape[shape.count - 1],
      groups: groups, epsilon: statistics.epsilon)
  }

  func check(_ parts: [Tensor], scale: Tensor, offset: Tensor, modulation: Tensor?) {
    verify(
      parts.allSatisfy { $0.shape.count >= 2 && $0.shape[0] == images && $0.count == images * pixels * $0.shape.last! }
        && parts.reduce(0) { $0 + $1.shape.last! } == channels, "the parts must have \(channels) channels")
    verify(scale.count == channels && offset.count == channels, "one scale and offset per channel")
    verify(modulation.map { $0.count == images * 2 * channels } ?? true, "two numbers per image and channel")
  }
}

extension ChannelPart {
  /// - Parameter tensor: [N, …, channels].
  init(_ tensor: Tensor) { self.init(tensor.pointer, channels: tensor.shape[tensor.shape.count - 1]) }
}
