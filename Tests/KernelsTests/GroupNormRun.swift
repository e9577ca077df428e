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
    let shape = [geometry.images, geometry.pixels, geometry.channels]
    let y = Tensor(repeating: .nan, shape: shape)
    let statistics = statistics(geometry)
    GroupNorm.forward(
      x: [Tensor(x, shape: shape)], scale: vector(scale), offset: vector(offset), modulation: modulation.map(vector),
      into: y, statistics: statistics, activation: activation, dropout: dropout, workers: pool)
    return Forward(
      y: y.elements, means: statistics.means.elements,
      inverseStandardDeviations: statistics.inverseStandardDeviations.elements)
  }

  /// - Parameters:
  ///   - start: the initial values of dScale and dOffset.
  ///   - addend: also the target of dx.
  ///   - inPlace: whether dx overwrites dy.
  static func backward(
    x: [Float], dy: [Float], scale: [Float], offset: [Float], modulation: [Float]? = nil, forward: Forward,
    start: Float = 0, addend: [Float]? = nil, inPlace: Bool = false, _ geometry: GroupNormGeometry,
    _ activation: Activation, _ dropout: Dropout?, _ pool: WorkerPool
  ) -> Backward {
    let shape = [geometry.images, geometry.pixels, geometry.channels]
    let gradient = Tensor(dy, shape: shape)
    let dx = inPlace ? gradient : Tensor(addend ?? x.map { _ in .nan }, shape: shape)
    let dScale = Tensor(repeating: start, shape: [geometry.channels])
    let dOffset = Tensor(repeating: start, shape: [geometry.channels])
    let dModulation = modulation.map { Tensor(repeating: .nan, shape: [$0.count]) }
    let statistics = statistics(geometry)
    statistics.means.copy(forward.means)
    statistics.inverseStandardDeviations.copy(forward.inverseStandardDeviations)
    GroupNorm.backward(
      x: [Tensor(x, shape: shape)], dy: gradient, scale: vector(scale), offset: vector(offset), statistics: statistics,
      g: gradient, dx: [(target: dx, addend: addend == nil ? nil : dx)], dScale: dScale, dOffset: dOffset,
      modulation: modulation.map(vector), dModulation: dModulation, activation: activation, dropout: dropout,
      workers: pool)
    return Backward(
      dx: dx.elements, dScale: dScale.elements, dOffset: dOffset.elements, dModulation: dModulation?.elements ?? [])
  }

  private static func vector(_ elements: [Float]) -> Tensor { Tensor(elements, shape: [elements.count]) }

  private static func statistics(_ geometry: GroupNormGeometry) -> GroupStatistics {
    let statistics = GroupStatistics(images: geometry.images, groups: geometry.groups, epsilon: geometry.epsilon)
    statistics.means.fill(.nan)
    statistics.inverseStandardDeviations.fill(.nan)
    return statistics
  }
}
