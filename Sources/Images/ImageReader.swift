/// The properties that an image file states before its pixels.
package struct ImageHeader: Sendable, Equatable {
  /// Of the image as it is read, as in `Image`.
  package let width: Int
  package let height: Int
  package let channels: Int
  /// Whether reading rotates it, since EXIF states that it is not stored upright.
  package let isTurned: Bool

  package init(width: Int, height: Int, channels: Int, isTurned: Bool = false) {
    self.width = width
    self.height = height
    self.channels = channels
    self.isTurned = isTurned
  }

  /// Whether it is grey, with opacity or without.
  package var isGrey: Bool { channels < 3 }

  /// Whether it has an opacity channel, although it may be completely opaque.
  package var hasOpacity: Bool { channels.isMultiple(of: 2) }
}

/// Reads PNG and JPEG files of any kind, whatever their names, as 8 bits per channel.
///
/// Samples are used as stored: information on gamma and colour spaces (gAMA, cHRM, sRGB, iCCP, ICC profiles) is
/// ignored. 16-bit values v become round(v / 257). Inks (CMYK) become red, green and blue as if they were ideal.
package struct ImageReader: Sendable, Equatable {
  /// What happens to images that are not stored upright, according to EXIF data.
  package enum Turning: String, CaseIterable, Sendable {
    case upright
    case asStored = "as-stored"
  }

  package var turning = Turning.upright
  /// The maximum number of pixels of an image. A file may have 16 bytes for each.
  package var pixelLimit = ImageReader.usualPixelLimit

  /// 8192 x 8192.
  package static let usualPixelLimit = 1 << 26

  package init(turning: Turning = .upright, pixelLimit: Int = ImageReader.usualPixelLimit) {
    precondition((1...1 << 40).contains(pixelLimit), "the pixel limit \(pixelLimit) is out of range")
    self.turning = turning
    self.pixelLimit = pixelLimit
  }

  /// The properties of a file's image, reading only as much of the file as necessary.
  /// - Parameters:
  ///   - path: the file, or its name in error messages if its contents are given.
  ///   - contents: the file's bytes; nil if they are on the disk.
  /// - Throws: `ImageError` for a file that cannot be read, is of another format, or has too many pixels.
  package func header(of path: String, contents: [UInt8]? = nil) throws(ImageError) -> ImageHeader {
    var file = try ImageBytes(path, contents: contents)
    return try stored(in: &file).header(turning)
  }

  /// Reads an image. The parameters are those of `header`.
  /// - Throws: `ImageError`, like `header`, and for any damage that could affect the pixels.
  package func read(_ path: String, contents: [UInt8]? = nil) throws(ImageError) -> Image {
    var file = try ImageBytes(path, contents: contents)
    let stored = try stored(in: &file)
    let bytes = try file.all()
    let image =
      switch stored.format {
      case .png(let pixelsEnd): try PNG.decode(bytes, upTo: pixelsEnd, stored, path)
      case .jpeg(let hasInks): try JPEG.decode(bytes, hasInks: hasInks, stored, path)
      }
    return turning == .upright ? image.upright(stored.orientation) : image
  }

  private func stored(in file: inout ImageBytes) throws(ImageError) -> StoredImage {
    guard file.size / 16 <= pixelLimit else {
      throw ImageError(
        .tooLarge, file.name, "\(file.size) bytes are more than 16 for each pixel of the limit of \(pixelLimit)")
    }
    let stored = try StoredImage.find(in: &file)
    let (width, height) = (stored.width, stored.height)
    guard width > 0, height > 0 else {
      throw ImageError(.damaged, file.name, "it has \(width)x\(height) pixels")
    }
    guard height <= pixelLimit / width else {
      throw ImageError(.tooLarge, file.name, "\(width)x\(height) pixels are more than the limit of \(pixelLimit)")
    }
    return stored
  }
}

extension StoredImage {
  fileprivate func header(_ turning: ImageReader.Turning) -> ImageHeader {
    let orientation = turning == .upright ? orientation : .topLeft
    return ImageHeader(
      width: orientation.swapsSides ? height : width, height: orientation.swapsSides ? width : height,
      channels: channels, isTurned: orientation != .topLeft)
  }
}
