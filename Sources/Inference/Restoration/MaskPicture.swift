import Datasets
import Failures
import Files
import Images

/// The pixels that a picture marks as known: white is known, black unknown.
/// - Parameter path: the file given with `--mask`, which messages name.
/// - Returns: for each pixel of [height, width]; nil if there is no such file.
/// - Throws: `InputError` for a file that cannot be used as a mask.
func maskPicture(_ path: String, height: Int, width: Int) throws(InputError) -> [Bool]? {
  guard fileExists(path) else { return nil }
  let picture: Image
  do { picture = try ImageReader().read(path) } catch { throw InputError("--mask \(error)") }
  guard picture.height == height, picture.width == width else {
    throw InputError(
      "--mask \(path): it has \(picture.height)x\(picture.width) pixels, but the model is for \(height)x\(width)")
  }
  guard let opaque = picture.withoutOpacity(background: nil) else {
    throw InputError("--mask \(path): it has transparent pixels; write known ones in white, unknown ones in black")
  }
  let values = opaque.inGrey.pixels
  if let other = values.first(where: { $0 != 0 && $0 != 255 }) {
    throw InputError(
      "--mask \(path): it has the grey value \(other); a mask is white (255) where pixels are known and black (0) elsewhere, "
        + "in a format without loss such as PNG")
  }
  return values.map { $0 == 255 }
}
