import CPNG
import Glibc

/// A PNG file that could not be read or written.
public struct PNGError: Error, Equatable, CustomStringConvertible {
  public let path: String
  /// What libpng or the operating system says.
  public let message: String

  public var description: String { "\(path): \(message)" }
}

/// Reads and writes PNG files by libpng's simplified interface, which reports errors without `longjmp`: that must not
/// cross Swift code.
public enum PNG {
  /// Writes an image under a temporary name in the same folder and renames it, so that a reader never finds half of it.
  ///
  /// - Parameters:
  ///   - pixels: [height, width, channels], row-major, sRGB.
  ///   - channels: 1 (gray), 3 (RGB) or 4 (RGB and opacity).
  public static func write(
    pixels: [UInt8], width: Int, height: Int, channels: Int, to path: String
  ) throws(PNGError) {
    try write(Image(width: width, height: height, channels: channels, pixels: pixels), to: path)
  }

  /// Writes an image under a temporary name in the same folder and renames it, so that a reader never finds half of it.
  public static func write(_ image: Image, to path: String) throws(PNGError) {
    guard let width = UInt32(exactly: image.width), let height = UInt32(exactly: image.height) else {
      throw PNGError(path: path, message: "\(image.width) x \(image.height) pixels are too many")
    }
    var control = png_image()
    control.version = UInt32(PNG_IMAGE_VERSION)
    control.width = width
    control.height = height
    control.format = format(channels: image.channels)
    defer { png_image_free(&control) }

    let temporaryPath = "\(path).\(getpid()).partial"
    guard png_image_write_to_file(&control, temporaryPath, 0, image.pixels, 0, nil) != 0 else {
      unlink(temporaryPath)
      throw PNGError(path: path, message: message(of: control))
    }
    guard rename(temporaryPath, path) == 0 else {
      let reason = String(cString: strerror(errno))
      unlink(temporaryPath)
      throw PNGError(path: path, message: reason)
    }
  }

  /// Reads an image of any PNG kind as sRGB of 8 bits: one channel if it is gray and opaque, four if it is not opaque,
  /// else three.
  public static func read(_ path: String) throws(PNGError) -> Image {
    var control = png_image()
    control.version = UInt32(PNG_IMAGE_VERSION)
    defer { png_image_free(&control) }
    guard png_image_begin_read_from_file(&control, path) != 0 else {
      throw PNGError(path: path, message: message(of: control))
    }
    let hasColor = ddpm_png_has_color(control.format) != 0
    let hasOpacity = ddpm_png_has_alpha(control.format) != 0
    let channels = hasOpacity ? 4 : hasColor ? 3 : 1
    control.format = format(channels: channels)
    var pixels = [UInt8](repeating: 0, count: Int(control.width) * Int(control.height) * channels)
    guard png_image_finish_read(&control, nil, &pixels, 0, nil) != 0 else {
      throw PNGError(path: path, message: message(of: control))
    }
    return Image(width: Int(control.width), height: Int(control.height), channels: channels, pixels: pixels)
  }

  private static func format(channels: Int) -> UInt32 {
    switch channels {
    case 1: ddpm_png_gray()
    case 3: ddpm_png_rgb()
    default: ddpm_png_rgba()
    }
  }

  private static func message(of control: png_image) -> String {
    withUnsafeBytes(of: control.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
