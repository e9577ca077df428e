/// An image of 8 bits per channel.
package struct Image: Sendable, Equatable {
  package let width: Int
  package let height: Int
  /// 1: grey; 2: grey and opacity; 3: red, green, blue; 4: red, green, blue and opacity.
  package let channels: Int
  /// [height, width, channels], row-major.
  package var pixels: [UInt8]

  package init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "an image needs at least one pixel")
    precondition((1...4).contains(channels), "an image must have 1 to 4 channels")
    precondition(pixels.count == width * height * channels, "the pixels do not fill the image exactly")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// Whether the last channel is opacity.
  var hasOpacity: Bool { channels.isMultiple(of: 2) }
}
