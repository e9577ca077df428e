import Tensors

/// Some channels of some images of a batch [N, H, W, C], which a kernel reads or writes in place. Parts of a result can
/// thus be written side by side, and parts of a batch can be processed one after another.
package struct ImageView {
  package private(set) var images: Int
  package let height: Int
  package let width: Int
  package private(set) var channels: Int
  /// Channels of the whole tensor: the distance in floats from one pixel to the next.
  package let pixelStride: Int
  private let whole: Tensor
  private var offset = 0

  /// - Parameter tensor: [N, H, W, C].
  package init(_ tensor: Tensor) {
    verify(tensor.shape.count == 4, "images are [N, H, W, C], not \(tensor.shape)")
    images = tensor.shape[0]
    height = tensor.shape[1]
    width = tensor.shape[2]
    channels = tensor.shape[3]
    pixelStride = channels
    whole = tensor
  }

  /// New images, whose elements are undefined until written.
  package init(images: Int, height: Int, width: Int, channels: Int) {
    self.init(Tensor(uninitialised: [images, height, width, channels]))
  }

  /// `count` channels starting at `first`.
  package func channels(from first: Int, count: Int) -> ImageView {
    verify(first >= 0 && count >= 0 && first + count <= channels, "the channels are outside the view")
    var view = self
    view.channels = count
    view.offset += first
    return view
  }

  package func images(_ range: Range<Int>) -> ImageView {
    verify(range.lowerBound >= 0 && range.upperBound <= images, "the images are outside the view")
    var view = self
    view.images = range.count
    view.offset += range.lowerBound * imageStride
    return view
  }

  /// The images as a tensor [N, H, W, C], if the view has all channels.
  package var tensor: Tensor {
    verify(channels == pixelStride, "all channels are required")
    return Tensor(shape: [images, height, width, channels], buffer: whole.buffer, offset: whole.offset + offset)
  }

  /// The distance in floats from one image to the next.
  package var imageStride: Int { height * width * pixelStride }

  /// The first element. The caller keeps the view alive while it uses the pointer.
  package var pointer: UnsafeMutablePointer<Float> { whole.pointer + offset }
}
