import Tensors

/// Some channels of some images of a batch [N, H, W, C], which a kernel reads or writes where they lie: so parts of a
/// result are written side by side, and parts of a batch are taken one after the other.
public struct ImageView {
  public let images: Int
  public let height: Int
  public let width: Int
  public let channels: Int
  /// Channels of the whole tensor: floats from a pixel to the next.
  package let pixelStride: Int
  private let tensor: Tensor
  private let offset: Int

  /// - Parameter tensor: [N, H, W, C].
  public init(_ tensor: Tensor) {
    precondition(tensor.shape.count == 4, "images are [N, H, W, C], not \(tensor.shape)")
    self.init(
      tensor, images: tensor.shape[0], height: tensor.shape[1], width: tensor.shape[2], channels: tensor.shape[3],
      pixelStride: tensor.shape[3], offset: 0)
  }

  /// New images, whose elements are undefined until written.
  public init(images: Int, height: Int, width: Int, channels: Int) {
    self.init(Tensor(uninitialised: [images, height, width, channels]))
  }

  private init(
    _ tensor: Tensor, images: Int, height: Int, width: Int, channels: Int, pixelStride: Int, offset: Int
  ) {
    self.tensor = tensor
    self.images = images
    self.height = height
    self.width = width
    self.channels = channels
    self.pixelStride = pixelStride
    self.offset = offset
  }

  /// The channels from `first` on.
  public func channels(from first: Int, count: Int) -> ImageView {
    precondition(first >= 0 && count >= 0 && first + count <= channels, "the view has these channels")
    return ImageView(
      tensor, images: images, height: height, width: width, channels: count, pixelStride: pixelStride,
      offset: offset + first)
  }

  public func images(_ range: Range<Int>) -> ImageView {
    precondition(range.lowerBound >= 0 && range.upperBound <= images, "the view has these images")
    return ImageView(
      tensor, images: range.count, height: height, width: width, channels: channels, pixelStride: pixelStride,
      offset: offset + range.lowerBound * imageStride)
  }

  /// Floats from an image to the next.
  package var imageStride: Int { height * width * pixelStride }

  /// The first element. Whoever uses it keeps the view alive.
  package var pointer: UnsafeMutablePointer<Float> { tensor.pointer + offset }
}
