import Kernels
import Tensors

/// Calls of `GroupNorm` on arrays.
enum GroupNormRun {
  struct Forward {
    var y: [Float]
    var means: [Float]
    var inverseStandardDeviations: [Float]
  }

  struct Backward {
    var dx: [Float]
    var dScale: [Float]
    var dOffset: [Float]
    /// Empty without a modulation.
    var dModulation: [Float]

    var all: [[Float]] { [dx, dScale, dOffset, dModulation] }
  }

  static func forward(
    x: [Float], scale: [Float], offset: [Float], modulation: [Float]? = nil, _ geometry: GroupNormGeometry,
    _ activation: Activation, _ dropout: Dropout?, _ pool: WorkerPool
  ) -> Forward {
    let modulation = modulation.map { Tensor($0, shape: [$0.count]) }
    let x = Tensor(x, shape: [x.count])
    let y = Tensor(repeating: .nan, shape: [x.count])
    let means = Tensor(repeating: .nan, shape: [geometry.images * geometry.groups])
    let inverseStandardDeviations = Tensor(repeating: .nan, shape: [geometry.images * geometry.groups])
    GroupNorm.forward(
      x: [ChannelPart(x.pointer, channels: geometry.channels)], scale: scale, offset: offset,
      modulation: modulation?.pointer, y: y.pointer, means: means.pointer,
      inverseStandardDeviations: inverseStandardDeviations.pointer,
      geometry: geometry, activation: activation,
      dropout: dropout, workers: pool)
    return Forward(y: y.elements, means: means.elements, inverseStandardDeviations: inverseStandardDeviations.elements)
  }

  /// - Parameters:
  ///   - start: the initial values of dScale and dOffset.
  ///   - addend: also the target of dx.
  ///   - inPlace: whether dx overwrites dy.
  static func backward(
    x: [Float], dy: [Float], scale: [Float], offset: [Float], modulation: [Float]? = nil, forward: Forward,
    start: Float = 0, addend: [Float]? = nil, inPlace: Bool = false, _ geometry: GroupNormGeometry,
    _ activation: Activation,
    _ dropout: Dropout?, _ pool: WorkerPool
  ) -> Backward {
    let (x, gradient) = (Tensor(x, shape: [x.count]), Tensor(dy, shape: [dy.count]))
    let dx = inPlace ? gradient : Tensor(addend ?? x.elements.map { _ in .nan }, shape: [x.count])
    let dScale = Tensor(repeating: start, shape: [geometry.channels])
    let dOffset = Tensor(repeating: start, shape: [geometry.channels])
    let modulation = modulation.map { Tensor($0, shape: [$0.count]) }
    let dModulation = modulation.map { Tensor(repeating: .nan, shape: $0.shape) }
    GroupNorm.backward(
      x: [ChannelPart(x.pointer, channels: geometry.channels)], dy: gradient.pointer, scale: scale, offset: offset,
      means: forward.means, inverseStandardDeviations: forward.inverseStandardDeviations, g: gradient.pointer,
      dx: [ChannelPartGradient(dx.pointer, addend: addend == nil ? nil : UnsafePointer(dx.pointer))],
      dScale: dScale.pointer, dOffset: dOffset.pointer, modulation: modulation?.pointer,
      dModulation: dModulation?.pointer, geometry: geometry, activation: activation, dropout: dropout,
      workers: pool)
    return Backward(
      dx: dx.elements, dScale: dScale.elements, dOffset: dOffset.elements, dModulation: dModulation?.elements ?? [])
  }
}
