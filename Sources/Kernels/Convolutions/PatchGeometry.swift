/// The windows of a convolution on its input [images, height, width, channels].
///
/// Output position (oy, ox) covers input rows oy·stride − padTop + ky, ky < kernelHeight, and columns likewise; pixels
/// outside the image count as zero or, along a periodic axis, are those of the opposite side.
package struct PatchGeometry: Sendable, Equatable {
  package var images: Int
  package var height: Int
  package var width: Int
  package var channels: Int
  package var kernelHeight: Int
  package var kernelWidth: Int
  package var stride: Int
  package var padTop: Int
  package var padLeft: Int
  package var padBottom: Int
  package var padRight: Int
  package var periodicity: Periodicity

  package init(
    images: Int, height: Int, width: Int, channels: Int, kernelHeight: Int, kernelWidth: Int, stride: Int = 1,
    padTop: Int, padLeft: Int, padBottom: Int, padRight: Int, periodicity: Periodicity = .none
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
    self.periodicity = periodicity
  }

  package var outputHeight: Int { (height + padTop + padBottom - kernelHeight) / stride + 1 }
  package var outputWidth: Int { (width + padLeft + padRight - kernelWidth) / stride + 1 }
  /// The number of output positions of all images: the rows of the matrix of patches.
  package var patchCount: Int { images * outputHeight * outputWidth }
  /// The number of elements of one patch, in the order of an HWIO kernel's rows: [kernelHeight, kernelWidth, channels].
  package var patchLength: Int { kernelHeight * kernelWidth * channels }
  package var inputCount: Int { images * height * width * channels }
}
