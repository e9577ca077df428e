/// The properties of an image file's image before it is decoded.
struct StoredImage {
  enum Format {
    /// With the position after the last of the chunks that contain pixels.
    case png(pixelsEnd: Int)
    /// Whether its four components are cyan, magenta, yellow and black.
    case jpeg(hasInks: Bool)
  }

  let format: Format
  let width: Int
  let height: Int
  /// Of the image as it is decoded, as in `Image`.
  let channels: Int
  let orientation: Orientation

  /// - Throws: `ImageError` if the file cannot be read, or is not an image.
  static func find(in file: inout ImageBytes) throws(ImageError) -> StoredImage {
    let start = try file.bytes(0..<min(8, file.size)) ?? []
    if start.elementsEqual(PNG.signature) { return try PNG.stored(in: &file) }
    if start.starts(with: JPEG.signature) { return try JPEG.stored(in: &file) }
    throw ImageError(.damaged, file.name, "this is neither a PNG nor a JPEG file")
  }
}
