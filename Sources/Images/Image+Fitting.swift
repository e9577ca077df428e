// Converts images of all kinds to one shape. Sums are of integers, so results are the same on all machines.

extension Image {
  /// The largest square in the middle, resized to `side` pixels.
  ///
  /// When shrinking, a pixel is the mean over the area that it covers, with partly covered pixels weighted accordingly,
  /// rounded to nearest. When enlarging, it is linearly interpolated between the nearest pixels in each direction.
  package func square(side: Int) -> Image {
    precondition(side > 0, "an image needs at least one pixel")
    let crop = min(width, height)
    let (left, top) = ((width - crop) / 2, (height - crop) / 2)
    if crop == side && width == height { return self }
    let taps = Taps(from: crop, to: side)
    // Rows first: [crop, side, channels], in units of 1 / taps.total.
    var rows = [UInt32](repeating: 0, count: crop * side * channels)
    var result = [UInt8](repeating: 0, count: side * side * channels)
    pixels.withUnsafeBufferPointer { pixels in
      rows.withUnsafeMutableBufferPointer { rows in
        for row in 0..<crop {
          let line = ((top + row) * width + left) * channels
          for column in 0..<side {
            for channel in 0..<channels {
              var sum: UInt32 = 0
              for tap in taps.range(column) {
                sum &+= taps.weights[tap] &* UInt32(pixels[line + taps.sources[tap] * channels + channel])
              }
              rows[(row * side + column) * channels + channel] = sum
            }
          }
        }
      }
    }
    let (lineLength, total) = (side * channels, UInt64(taps.total) * UInt64(taps.total))
    rows.withUnsafeBufferPointer { rows in
      for row in 0..<side {
        for index in 0..<lineLength {
          var sum: UInt64 = 0
          for tap in taps.range(row) {
            sum &+= UInt64(taps.weights[tap]) &* UInt64(rows[taps.sources[tap] * lineLength + index])
          }
          result[row * lineLength + index] = UInt8((sum + total / 2) / total)
        }
      }
    }
    return Image(width: side, height: side, channels: channels, pixels: result)
  }

  /// An image without opacity in this many channels, 1 (grey) or 3 (colour).
  /// - Parameter side: the side of the square that it becomes (`square`); nil keeps its size.
  package func fitted(side: Int?, channels: Int) -> Image {
    var image = channels == 1 ? inGrey : self
    if let side { image = image.square(side: side) }
    return channels == 3 ? image.inColour : image
  }

  /// Whether any pixel is not opaque.
  package var isTransparent: Bool {
    guard hasOpacity else { return false }
    return stride(from: channels - 1, to: pixels.count, by: channels).contains { pixels[$0] < 255 }
  }

  /// The same image without opacity, over a background of one grey value.
  /// - Parameter background: the background's value; nil if the image must be opaque.
  /// - Returns: nil if a pixel is transparent and there is no background.
  package func withoutOpacity(background: UInt8?) -> Image? {
    guard hasOpacity else { return self }
    guard background != nil || !isTransparent else { return nil }
    let behind = Int(background ?? 0)
    var colours = [UInt8](repeating: 0, count: width * height * (channels - 1))
    for pixel in 0..<width * height {
      let opacity = Int(pixels[channels * pixel + channels - 1])
      for channel in 0..<channels - 1 {
        let mix = opacity * Int(pixels[channels * pixel + channel]) + (255 - opacity) * behind
        colours[(channels - 1) * pixel + channel] = UInt8((mix + 127) / 255)
      }
    }
    return Image(width: width, height: height, channels: channels - 1, pixels: colours)
  }

  /// An image without opacity in red, green and blue; a grey image gets three equal channels.
  package var inColour: Image {
    guard channels == 1 else { return self }
    return Image(width: width, height: height, channels: 3, pixels: pixels.flatMap { [$0, $0, $0] })
  }

  /// An image without opacity in grey: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601, 2.5.1), in units of 2⁻¹⁶.
  package var inGrey: Image {
    guard channels == 3 else { return self }
    let grey = (0..<width * height).map { pixel in
      let (red, green, blue) = (Int(pixels[3 * pixel]), Int(pixels[3 * pixel + 1]), Int(pixels[3 * pixel + 2]))
      return UInt8((19595 * red + 38470 * green + 7471 * blue + 1 << 15) >> 16)
    }
    return Image(width: width, height: height, channels: 1, pixels: grey)
  }
}

/// The source pixels and weights for each pixel of a resized line.
private struct Taps {
  /// The taps of pixel p are bounds[p]..<bounds[p + 1].
  var bounds = [0]
  var sources: [Int] = []
  var weights: [UInt32] = []
  /// The sum of a pixel's weights.
  let total: Int

  /// In units of 1 / target of a source pixel, target pixel p covers p · source ..< (p + 1) · source.
  init(from source: Int, to target: Int) {
    total = target <= source ? source : 2 * target
    for pixel in 0..<target {
      if target <= source {
        let (start, end) = (pixel * source, (pixel + 1) * source)
        for covered in start / target...(end - 1) / target {
          add(covered, min(end, (covered + 1) * target) - max(start, covered * target))
        }
      } else {
        // The pixel's centre, in units of 1 / (2 target), relative to the centre of the first source pixel.
        let middle = (2 * pixel + 1) * source - target
        let before = middle < 0 ? -1 : middle / total
        let beyond = middle - before * total
        if beyond < total { add(max(before, 0), total - beyond) }
        if beyond > 0 { add(min(before + 1, source - 1), beyond) }
      }
      bounds.append(sources.count)
    }
  }

  func range(_ pixel: Int) -> Range<Int> { bounds[pixel]..<bounds[pixel + 1] }

  private mutating func add(_ source: Int, _ weight: Int) {
    sources.append(source)
    weights.append(UInt32(weight))
  }
}
