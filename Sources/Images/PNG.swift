import CPNG
import Files

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
  ) throws(ImageError) {
    try write(Image(width: width, height: height, channels: channels, pixels: pixels), to: path)
  }

  /// Writes an image under a temporary name in the same folder and renames it, so that a reader never finds half of it.
  public static func write(_ image: Image, to path: String) throws(ImageError) {
    do {
      try OutputFile(path).write { temporaryPath in
        do throws(ImageError) { try write(image, inPlace: temporaryPath) } catch {
          throw ImageError(path: path, message: error.message)
        }
      }
    } catch let error as ImageError {
      throw error
    } catch {
      throw ImageError(path: path, message: (error as? FileError)?.reason ?? "\(error)")
    }
  }

  /// Writes an image into a file whose name is not its last: one of a folder that is still to be published.
  public static func write(_ image: Image, inPlace path: String) throws(ImageError) {
    guard let width = UInt32(exactly: image.width), let height = UInt32(exactly: image.height) else {
      throw ImageError(path: path, message: "\(image.width) x \(image.height) pixels are too many")
    }
    var control = png_image()
    control.version = UInt32(PNG_IMAGE_VERSION)
    control.width = width
    control.height = height
    control.format = format(channels: image.channels)
    defer { png_image_free(&control) }
    guard png_image_write_to_file(&control, path, 0, image.pixels, 0, nil) != 0 else {
      throw ImageError(path: path, message: message(of: control))
    }
  }

  /// Reads an image of any PNG kind as sRGB of 8 bits: one channel if it is gray and opaque, four if it is not opaque,
  /// else three.
  public static func read(_ path: String) throws(ImageError) -> Image {
    try decode(path) { png_image_begin_read_from_file(&$0, path) }
  }

  /// The same from the file's bytes.
  static func decode(_ bytes: [UInt8], path: String) throws(ImageError) -> Image {
    // libpng reads from where the bytes are until the end.
    let outcome = bytes.withUnsafeBytes { memory in
      Result { () throws(ImageError) in
        try decode(path) { png_image_begin_read_from_memory(&$0, memory.baseAddress, memory.count) }
      }
    }
    return try outcome.get()
  }

  /// What the file says before its pixels.
  static func header(of path: String) throws(ImageError) -> ImageHeader {
    var control = png_image()
    control.version = UInt32(PNG_IMAGE_VERSION)
    defer { png_image_free(&control) }
    guard png_image_begin_read_from_file(&control, path) != 0 else {
      throw ImageError(path: path, message: message(of: control))
    }
    return header(control)
  }

  /// The same from the file's bytes.
  static func header(of bytes: [UInt8], path: String) throws(ImageError) -> ImageHeader {
    let outcome = bytes.withUnsafeBytes { memory in
      Result { () throws(ImageError) in
        var control = png_image()
        control.version = UInt32(PNG_IMAGE_VERSION)
        defer { png_image_free(&control) }
        guard png_image_begin_read_from_memory(&control, memory.baseAddress, memory.count) != 0 else {
          throw ImageError(path: path, message: message(of: control))
        }
        return header(control)
      }
    }
    return try outcome.get()
  }

  private static func decode(_ path: String, from start: (inout png_image) -> Int32) throws(ImageError) -> Image {
    var control = png_image()
    control.version = UInt32(PNG_IMAGE_VERSION)
    defer { png_image_free(&control) }
    guard start(&control) != 0 else { throw ImageError(path: path, message: message(of: control)) }
    let header = header(control)
    try header.check(path)
    control.format = format(channels: header.channels)
    // Else 16 bits would be taken for linear light, where the file does not say what they are.
    control.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
    var pixels = [UInt8](repeating: 0, count: header.width * header.height * header.channels)
    guard png_image_finish_read(&control, nil, &pixels, 0, nil) != 0 else {
      throw ImageError(path: path, message: message(of: control))
    }
    return Image(width: header.width, height: header.height, channels: header.channels, pixels: pixels)
  }

  private static func header(_ control: png_image) -> ImageHeader {
    let hasColor = ddpm_png_has_color(control.format) != 0
    let hasOpacity = ddpm_png_has_alpha(control.format) != 0
    return ImageHeader(
      width: Int(control.width), height: Int(control.height), channels: hasOpacity ? 4 : hasColor ? 3 : 1)
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
