/// Arranges images of one size in rows on a sheet.
package enum ImageGrid {
  /// Pixels between images and around the sheet.
  package static let padding = 2

  /// The maximum number of images on a sheet that still fits in memory and can be displayed: about 2²⁶ pixels.
  package static func capacity(height: Int, width: Int) -> Int {
    max(1, (1 << 26) / ((height + padding) * (width + padding)))
  }

  /// Arranges `count` images from left to right and top to bottom, on black.
  ///
  /// - Parameters:
  ///   - images: [count, height, width, channels], row-major; channels as in `Image`.
  ///   - columns: images per row, by default about as many as there are rows; the sheet is narrower if there are fewer.
  package static func arrange(
    _ images: [UInt8], count: Int, height: Int, width: Int, channels: Int, columns: Int? = nil
  ) -> Image {
    precondition(count > 0 && columns ?? 1 > 0, "a grid needs at least one image and one column")
    precondition(images.count == count * height * width * channels, "the pixels do not fill the images exactly")
    let columns = min(columns ?? Int(Double(count).squareRoot().rounded(.up)), count)
    let rows = (count + columns - 1) / columns
    let sheetWidth = columns * (width + padding) + padding
    let sheetHeight = rows * (height + padding) + padding
    var sheet = background(pixelCount: sheetWidth * sheetHeight, channels: channels)
    let lineLength = width * channels
    for index in 0..<count {
      let left = padding + index % columns * (width + padding)
      let top = padding + index / columns * (height + padding)
      for line in 0..<height {
        let source = (index * height + line) * lineLength
        let target = ((top + line) * sheetWidth + left) * channels
        sheet.replaceSubrange(target..<target + lineLength, with: images[source..<source + lineLength])
      }
    }
    return Image(width: sheetWidth, height: sheetHeight, channels: channels, pixels: sheet)
  }

  /// Black, and opaque if there is opacity.
  private static func background(pixelCount: Int, channels: Int) -> [UInt8] {
    guard channels == 4 else { return [UInt8](repeating: 0, count: pixelCount * channels) }
    return (0..<pixelCount * channels).map { $0 % 4 == 3 ? 255 : 0 }
  }
}
