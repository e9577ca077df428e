/// The windows of a convolution on its input [images, height, width, channels].
///
/// Output position (oy, ox) covers input rows oy·stride − padTop + ky, ky < kernelHeight, and columns likewise; pixels
/// outside the image count as zero.
public struct PatchGeometry: Sendable, Equatable {
  public var images: Int
  public var height: Int
  public var width: Int
  public var channels: Int
  public var kernelHeight: Int
  public var kernelWidth: Int
  public var stride: Int
  public var padTop: Int
  public var padLeft: Int
  public var padBottom: Int
  public var padRight: Int

  public init(
    images: Int, height: Int, width: Int, channels: Int, kernelHeight: Int, kernelWidth: Int, stride: Int = 1,
    padTop: Int, padLeft: Int, padBottom: Int, padRight: Int
  ) {
    self.images = images
    self.height = height
    self.width = width
    self.channels = channels
    self.kernelHeight = kernelHeight
    self.kernelWidth = kernelWidth
    self.stride = stride
    self.padTop = padTop
    self.padLeft = padLeft
    self.padBottom = padBottom
    self.padRight = padRight
  }

  public var outputHeight: Int { (height + padTop + padBottom - kernelHeight) / stride + 1 }
  public var outputWidth: Int { (width + padLeft + padRight - kernelWidth) / stride + 1 }
  /// The number of output positions of all images: the rows of the matrix of patches.
  public var patchCount: Int { images * outputHeight * outputWidth }
  /// The number of elements of one patch, in the order of an HWIO kernel's rows: [kernelHeight, kernelWidth, channels].
  public var patchLength: Int { kernelHeight * kernelWidth * channels }
  public var inputCount: Int { images * height * width * channels }
}
