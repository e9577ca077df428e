import CProcessor
import MicroKernels
import Tensors

/// The windows of a convolution's tiles on an image batch [images, height, width, channels]: the window of tile (row,
/// column) is the square of `size` pixels starting at (row·step − rim, column·step − rim). Along a periodic axis, the
/// pixels next to the border, on either side, are those of the opposite side; all others outside of an image are zero.
struct TileWindows {
  let height: Int
  let width: Int
  let channels: Int
  let tileRows: Int
  let tileColumns: Int
  let step: Int
  let size: Int
  let rim: Int
  var periodicity = Periodicity.none

  @inline(__always)
  func origin(ofTile index: Int) -> (image: Int, top: Int, left: Int) {
    let (image, inside) = index.quotientAndRemainder(dividingBy: tileRows * tileColumns)
    let (row, column) = inside.quotientAndRemainder(dividingBy: tileColumns)
    return (image, row * step - rim, column * step - rim)
  }

  /// Writes the address of each pixel of a window, [size, size]: in the images, or `zeros` if the pixel is zero.
  @inline(__always)
  func locate(
    tile: Int, of images: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    into pixels: UnsafeMutablePointer<UnsafePointer<Float>>
  ) {
    let origin = origin(ofTile: tile)
    let image = images + origin.image * height * width * channels
    if origin.top >= 0 && origin.top + size <= height && origin.left >= 0 && origin.left + size <= width {
      let first = image + (origin.top * width + origin.left) * channels
      for i in 0..<size {
        for j in 0..<size { pixels[i * size + j] = first + (i * width + j) * channels }
      }
      return
    }
    for i in 0..<size {
      let y = Self.index(origin.top + i, of: height, isPeriodic: periodicity.includesHeight)
      for j in 0..<size {
        let x = Self.index(origin.left + j, of: width, isPeriodic: periodicity.includesWidth)
        pixels[i * size + j] = y >= 0 && x >= 0 ? image + (y * width + x) * channels : zeros
      }
    }
  }

  /// The row or column that is seen at `position`; negative if zeros are there. A tile that extends beyond its image
  /// covers pixels farther outside than the border, on which no result depends: zeros add no rounding errors.
  @inline(__always)
  private static func index(_ position: Int, of count: Int, isPeriodic: Bool) -> Int {
    if position >= 0 && position < count { return position }
    guard isPeriodic else { return -1 }
    return position == -1 ? count - 1 : position == count ? 0 : -1
  }
}

/// Transforms between images and points.
enum WinogradTiles {
  /// The points of some channels of every tile's window: row `firstRow + r` of `planes` receives tile
  /// `tiles.lowerBound + r`, from column 0 on.
  ///
  /// - Parameter channels: the channels of the images; the last vector is padded with zeros.
  static func transform<Line: LineTransform>(
    _: Line.Type, of images: UnsafePointer<Float>, windows: TileWindows, tiles: Range<Int>, channels: Range<Int>,
    into planes: PointPlanes, firstRow: Int
  ) {
    let (first, vectors) = (channels.lowerBound, channels.count / vectorWidth)
    let rest = channels.count % vectorWidth
    let count = Line.inputs * Line.inputs
    // The distance from a window's pixels to those of the next window.
    let ahead = windows.step * windows.channels
    let (planeStride, rowStride) = (planes.planeStride, planes.rowStride)
    withZeros(windows.channels) { zeros in
      withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: count) { pixels in
        withUnsafeTemporaryAllocation(of: Vector.self, capacity: Line.scratchCount) {
          let (pixel, scratch) = (pixels.baseAddress!, $0.baseAddress!)
          for (row, tile) in tiles.enumerated() {
            windows.locate(tile: tile, of: images, zeros: zeros, into: pixel)
            let target = planes.row(0, firstRow + row)
            @inline(__always)
            func transform(_ count: Int, from vector: Int) {
              let column = vector * vectorWidth
              let (source, target) = (first + column, target + column)
              Line.applyTwice(
                count: count, scratch: scratch, source: { pixel[$0 * Line.inputs + $1] + source },
                sourceStride: vectorWidth, ahead: ahead, firstAhead: Line.inputs - windows.step
              ) { i, j, vector, value in
                let destination = target + (i * Line.outputs + j) * planeStride + vector * vectorWidth
                ddpm_prefetch_to_write(destination + rowStride)
                store16(value, destination)
              }
            }
            let whole = vectors / 4 * 4
            for vector in stride(from: 0, to: whole, by: 4) { transform(4, from: vector) }
            for vector in whole..<vectors { transform(1, from: vector) }
            if rest > 0 {
              withUnsafeTemporaryAllocation(of: Vector.self, capacity: count) {
                let padded = UnsafeMutableRawPointer($0.baseAddress!).assumingMemoryBound(to: Float.self)
                let column = vectors * vectorWidth
                for index in 0..<count {
                  store16(loadPartial(pixel[index] + first + column, rest), padded + index * vectorWidth)
                }
                Line.applyTwice(
                  count: 1, scratch: scratch, source: { UnsafePointer(padded) + ($0 * Line.inputs + $1) * vectorWidth },
                  sourceStride: vectorWidth
                ) { i, j, _, value in store16(value, target + (i * Line.outputs + j) * planeStride + column) }
              }
            }
          }
        }
      }
    }
  }

  /// The terms that are added to a convolution's outputs.
  struct Addends {
    /// [channels], added to every pixel.
    var bias: UnsafePointer<Float>?
    /// [images, channels], added to every pixel of its image.
    var perImage: UnsafePointer<Float>?
    /// Like the outputs.
    var residual: UnsafePointer<Float>?
    /// Whether negative sums become zero; not with a residual.
    var rectifies = false
  }

  /// Writes the outputs for the channels of one strip: transforms each tile's points back and adds the addends. Row r
  /// of `planes` contains tile `tiles.lowerBound + r`; column 0 is the strip's first channel.
  static func transformOutput<Line: LineTransform>(
    _: Line.Type, from planes: PointPlanes, windows: TileWindows, tiles: Range<Int>, strip: Strip,
    into images: UnsafeMutablePointer<Float>, addends: Addends
  ) {
    let vectors = strip.width / vectorWidth
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: Line.scratchCount + vectors) {
      let (offsets, scratch) = ($0.baseAddress!, $0.baseAddress! + vectors)
      let channels = windows.channels
      for (row, tile) in tiles.enumerated() {
        let origin = windows.origin(ofTile: tile)
        let rows = min(Line.outputs, windows.height - origin.top)
        let columns = min(Line.outputs, windows.width - origin.left)
        let first =
          ((origin.image * windows.height + origin.top) * windows.width + origin.left) * channels + strip.start
        for vector in 0..<vectors {
          let column = vector * vectorWidth
          let lanes = strip.count - column
          var offset = Vector.zero
          if lanes > 0 {
            let channel = strip.start + column
            if let bias = addends.bias { offset += load(bias + channel, lanes) }
            if let perImage = addends.perImage { offset += load(perImage + origin.image * channels + channel, lanes) }
          }
          offsets[vector] = offset
        }
        let source = UnsafePointer(planes.row(0, row))
        let lineLength = windows.width * channels
        @inline(__always)
        func transform(_ count: Int, _ put: (_ row: Int, _ column: Int, _ vector: Int, Vector) -> Void) {
          Line.applyTwice(
            count: count, scratch: scratch, source: { source + ($0 * Line.inputs + $1) * planes.planeStride },
            sourceStride: vectorWidth, ahead: planes.rowStride, firstAhead: 0, put)
        }
        if strip.isWhole && rows == Line.outputs && columns == Line.outputs {
          let (target, residual) = (images + first, addends.residual.map { $0 + first })
          let next = windows.origin(ofTile: min(tile + 1, tiles.upperBound - 1))
          let ahead =
            (((next.image - origin.image) * windows.height + next.top - origin.top) * windows.width + next.left
              - origin.left) * channels
          @inline(__always)
          func putWhole(_ i: Int, _ j: Int, _ vector: Int, _ value: Vector) {
            let position = i * lineLength + j * channels + vector * vectorWidth
            ddpm_prefetch_to_write(target + position + ahead)
            store16(value + offsets[vector], target + position)
          }
          @inline(__always)
          func putSum(_ i: Int, _ j: Int, _ vector: Int, _ value: Vector) {
            let position = i * lineLength + j * channels + vector * vectorWidth
            ddpm_prefetch_to_write(target + position + ahead)
            ddpm_prefetch(residual.unsafelyUnwrapped + position + ahead)
            store16(value + offsets[vector] + load16(residual.unsafelyUnwrapped + position), target + position)
          }
          @inline(__always)
          func putRectified(_ i: Int, _ j: Int, _ vector: Int, _ value: Vector) {
            let position = i * lineLength + j * channels + vector * vectorWidth
            ddpm_prefetch_to_write(target + position + ahead)
            store16((value + offsets[vector]).limited(below: 0), target + position)
          }
          switch (vectors, residual == nil, addends.rectifies) {
          case (3, true, true): transform(3, putRectified)
          case (3, true, false): transform(3, putWhole)
          case (3, false, _): transform(3, putSum)
          case (_, true, true): transform(2, putRectified)
          case (_, true, false): transform(2, putWhole)
          case (_, false, _): transform(2, putSum)
          }
          continue
        }
        transform(vectors) { i, j, vector, value in
          let column = vector * vectorWidth
          guard i < rows && j < columns && column < strip.count else { return }
          let position = first + i * lineLength + j * channels + column
          let lanes = strip.count - column
          var result = value + offsets[vector]
          if let residual = addends.residual { result += load(residual + position, lanes) }
          if addends.rectifies { result = result.limited(below: 0) }
          store(result, images + position, lanes)
        }
      }
    }
  }

  private static func withZeros(_ count: Int, _ body: (UnsafePointer<Float>) -> Void) {
    withScratch(roundUp(count, vectorWidth)) { zeros in
      zeros.update(repeating: 0, count: roundUp(count, vectorWidth))
      body(zeros)
    }
  }
}
