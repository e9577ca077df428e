import Tensors

/// Some channels of some images of a batch [N, H, W, C], which a kernel reads or writes in place. Parts of a result can
/// thus be written side by side, and parts of a batch can be processed one after another.
public struct ImageView {
  public let images: Int
  public let height: Int
  public let width: Int
  public let channels: Int
  /// Channels of the whole tensor: the distance in floats from one pixel to the next.
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

  /// `count` channels starting at `first`.
  public func channels(from first: Int, count: Int) -> ImageView {
    precondition(first >= 0 && count >= 0 && first + count <= channels, "the channels are outside the view")
    return ImageView(
      tensor, images: images, height: height, width: width, channels: count, pixelStride: pixelStride,
      offset: offset + first)
  }

  public func images(_ range: Range<Int>) -> ImageView {
    precondition(range.lowerBound >= 0 && range.upperBound <= images, "the images are outside the view")
    return ImageView(
      tensor, images: range.count, height: height, width: width, channels: channels, pixelStride: pixelStride,
      offset: offset + range.lowerBound * imageStride)
  }

  /// The distance in floats from one image to the next.
  package var imageStride: Int { height * width * pixelStride }

  /// The first element. The caller keeps the view alive while it uses the pointer.
  package var pointer: UnsafeMutablePointer<Float> { tensor.pointer + offset }
}
