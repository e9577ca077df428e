import Kernels
import Tensors

/// Height, width and channels of an image or of a layer's result.
struct MapShape {
  let height: Int
  let width: Int
  let channels: Int
}

extension MapShape {
  init(_ view: ImageView) {
    self.init(height: view.height, width: view.width, channels: view.channels)
  }
}

/// A layer that maps each image independently, without gradients.
protocol InceptionLayer: Sendable {
  func outputShape(of input: MapShape) -> MapShape
  /// - Parameter y: [N, …] with the shape `outputShape`; overwritten.
  func callAsFunction(_ x: ImageView, into y: ImageView, workers: WorkerPool)
}

extension InceptionLayer {
  func callAsFunction(_ x: ImageView, workers: WorkerPool) -> ImageView {
    let shape = outputShape(of: MapShape(x))
    let y = ImageView(images: x.images, height: shape.height, width: shape.width, channels: shape.channels)
    self(x, into: y, workers: workers)
    return y
  }
}

/// Layers applied one after another.
struct Chain: InceptionLayer {
  let layers: [any InceptionLayer]

  init(_ layers: any InceptionLayer...) {
    verify(!layers.isEmpty, "a chain needs at least one layer")
    self.layers = layers
  }

  func outputShape(of input: MapShape) -> MapShape { layers.reduce(input) { $1.outputShape(of: $0) } }

  func callAsFunction(_ x: ImageView, into y: ImageView, workers: WorkerPool) {
    var x = x
    for layer in layers.dropLast() { x = layer(x, workers: workers) }
    layers[layers.count - 1](x, into: y, workers: workers)
  }
}

/// Layers with the same input, whose results are joined along the channels.
struct Joined: InceptionLayer {
  let branches: [any InceptionLayer]

  init(_ branches: any InceptionLayer...) {
    verify(!branches.isEmpty, "there must be at least one branch")
    self.branches = branches
  }

  func outputShape(of input: MapShape) -> MapShape {
    let shapes = branches.map { $0.outputShape(of: input) }
    return MapShape(
      height: shapes[0].height, width: shapes[0].width, channels: shapes.reduce(0) { $0 + $1.channels })
  }

  func callAsFunction(_ x: ImageView, into y: ImageView, workers: WorkerPool) {
    var first = 0
    for branch in branches {
      let count = branch.outputShape(of: MapShape(x)).channels
      branch(x, into: y.channels(from: first, count: count), workers: workers)
      first += count
    }
  }
}

/// 3x3 windows; see `Pooling`.
struct PoolingLayer: InceptionLayer {
  let kind: Pooling
  let stride: Int
  let pad: Int

  /// Every other window that lies inside the image.
  static let downsampling = PoolingLayer(kind: .maximum, stride: 2, pad: 0)
  /// The window around each pixel, which may reach beyond the image.
  static func centred(_ kind: Pooling) -> PoolingLayer { PoolingLayer(kind: kind, stride: 1, pad: 1) }

  func outputShape(of input: MapShape) -> MapShape {
    MapShape(
      height: Pooling.outputSide(input.height, stride: stride, pad: pad),
      width: Pooling.outputSide(input.width, stride: stride, pad: pad), channels: input.channels)
  }

  func callAsFunction(_ x: ImageView, into y: ImageView, workers: WorkerPool) {
    kind(x, into: y, stride: stride, pad: pad, workers: workers)
  }
}
