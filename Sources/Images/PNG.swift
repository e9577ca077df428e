import CPNG
import Files

/// Writes PNG files with libpng's simplified interface, which reports errors without `longjmp`: a jump must not cross
/// Swift code.
package enum PNG {
  /// Writes an image, whose colours are sRGB, under a temporary name in the same folder and renames it, so that readers
  /// never see an incomplete file.
  package static func write(_ image: Image, to path: String) throws(ImageError) {
    do {
      try OutputFile(path).write { try write(image, inPlace: $0) }
    } catch {
      let reason = (error as? ImageError)?.message ?? (error as? FileError)?.reason ?? "\(error)"
      throw ImageError(.inaccessible, path, reason)
    }
  }

  /// Writes an image directly, without a temporary name, into a folder that has not been published yet.
  package static func write(_ image: Image, inPlace path: String) throws(ImageError) {
    guard let width = UInt32(exactly: image.width), let height = UInt32(exactly: image.height) else {
      throw ImageError(.inaccessible, path, "\(image.width) x \(image.height) pixels are too many")
    }
    var control = png_image()
    control.version = UInt32(PNG_IMAGE_VERSION)
    control.width = width
    control.height = height
    control.format = format(channels: image.channels)
    defer { png_image_free(&control) }
    guard png_image_write_to_file(&control, path, 0, image.pixels, 0, nil) != 0 else {
      throw ImageError(.inaccessible, path, message(of: control))
    }
  }

  private static func format(channels: Int) -> UInt32 {
    switch channels {
    case 1: ddpm_png_gray()
    case 2: ddpm_png_gray_alpha()
    case 3: ddpm_png_rgb()
    default: ddpm_png_rgba()
    }
  }

  private static func message(of control: png_image) -> String {
    withUnsafeBytes(of: control.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
