import Tensors

// Between images and points: gathering the 6x6 inputs under tiles, and scattering the 4x4 outputs.
extension Winograd {
  /// Where a tile lies: its image, and the first of its 4x4 outputs.
  private struct Tile {
    let image: Int
    let top: Int
    let left: Int

    @inline(__always)
    init(_ index: Int, _ geometry: Geometry) {
      let (image, inside) = index.quotientAndRemainder(dividingBy: geometry.tilesPerImage)
      let (row, column) = inside.quotientAndRemainder(dividingBy: geometry.tileColumns)
      self.image = image
      top = row * 4
      left = column * 4
    }
  }

  /// V = Bᵀ·d·B for every tile of `tiles`; row r of `planes` holds tile `tiles.lowerBound + r - firstRow`.
  static func transformInput(
    _ x: UnsafePointer<Float>, channels: Int, geometry: Geometry, tiles: Range<Int>, into planes: PointPlanes,
    firstRow: Int = 0
  ) {
    withZeros(channels) { zeros in
      withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: points) { sources in
        withUnsafeTemporaryAllocation(of: Vector.self, capacity: points) { scratch in
          let columns = scratch.baseAddress!
          let source = sources.baseAddress!
          for (row, index) in tiles.enumerated() {
            let tile = Tile(index, geometry)
            let image = x + tile.image * geometry.height * geometry.width * channels
            for i in 0..<6 {
              for j in 0..<6 {
                let (y, z) = (tile.top + i - 1, tile.left + j - 1)
                let inside = y >= 0 && y < geometry.height && z >= 0 && z < geometry.width
                source[i * 6 + j] = inside ? image + (y * geometry.width + z) * channels : zeros
              }
            }
            var channel = 0
            while channel < channels {
              let width = min(16, channels - channel)
              for j in 0..<6 {
                if width == 16 {
                  WinogradTransform.input(
                    load16(source[j] + channel), load16(source[6 + j] + channel), load16(source[12 + j] + channel),
                    load16(source[18 + j] + channel), load16(source[24 + j] + channel),
                    load16(source[30 + j] + channel)
                  ) { columns[$0 * 6 + j] = $1 }
                } else {
                  WinogradTransform.input(
                    loadPartial(source[j] + channel, width), loadPartial(source[6 + j] + channel, width),
                    loadPartial(source[12 + j] + channel, width), loadPartial(source[18 + j] + channel, width),
                    loadPartial(source[24 + j] + channel, width), loadPartial(source[30 + j] + channel, width)
                  ) { columns[$0 * 6 + j] = $1 }
                }
              }
              for i in 0..<6 {
                let r = columns + i * 6
                WinogradTransform.input(r[0], r[1], r[2], r[3], r[4], r[5]) { point, value in
                  store16(value, planes.row(i * 6 + point, firstRow + row) + channel)
                }
              }
              channel += 16
            }
          }
        }
      }
    }
  }

  /// dM = A·dY·Aᵀ for every tile; positions outside the image count as zero.
  static func transformOutputGradient(
    _ dy: UnsafePointer<Float>, geometry: Geometry, tiles: Range<Int>, into planes: PointPlanes, firstRow: Int
  ) {
    let channels = geometry.outChannels
    withZeros(channels) { zeros in
      withUnsafeTemporaryAllocation(of: UnsafePointer<Float>.self, capacity: 16) { sources in
        withUnsafeTemporaryAllocation(of: Vector.self, capacity: 24) { scratch in
          let columns = scratch.baseAddress!
          let source = sources.baseAddress!
          for (row, index) in tiles.enumerated() {
            let tile = Tile(index, geometry)
            let image = dy + tile.image * geometry.height * geometry.width * channels
            for i in 0..<4 {
              for j in 0..<4 {
                let (y, z) = (tile.top + i, tile.left + j)
                let inside = y < geometry.height && z < geometry.width
                source[i * 4 + j] = inside ? image + (y * geometry.width + z) * channels : zeros
              }
            }
            for channel in stride(from: 0, to: planes.rowStride, by: 16) {
              let width = max(0, min(16, channels - channel))
              for j in 0..<4 {
                WinogradTransform.outputAdjoint(
                  load(source[j], channel, width), load(source[4 + j], channel, width),
                  load(source[8 + j], channel, width), load(source[12 + j], channel, width)
                ) { columns[$0 * 4 + j] = $1 }
              }
              for i in 0..<6 {
                let r = columns + i * 4
                WinogradTransform.outputAdjoint(r[0], r[1], r[2], r[3]) { point, value in
                  store16(value, planes.row(i * 6 + point, firstRow + row) + channel)
                }
              }
            }
          }
        }
      }
    }
  }

  /// y = Aᵀ·M·A + bias + perImage + residual for every tile.
  static func transformOutput(
    _ planes: PointPlanes, geometry: Geometry, tiles: Range<Int>, y: UnsafeMutablePointer<Float>,
    bias: UnsafePointer<Float>?, perImage: UnsafePointer<Float>?, residual: UnsafePointer<Float>?
  ) {
    let channels = geometry.outChannels
    withUnsafeTemporaryAllocation(of: Vector.self, capacity: 24) { scratch in
      let columns = scratch.baseAddress!
      for (row, index) in tiles.enumerated() {
        let tile = Tile(index, geometry)
        let rows = min(4, geometry.height - tile.top)
        let width = min(4, geometry.width - tile.left)
        let first = ((tile.image * geometry.height + tile.top) * geometry.width + tile.left) * channels
        for channel in stride(from: 0, to: channels, by: 16) {
          let lanes = min(16, channels - channel)
          for j in 0..<6 {
            WinogradTransform.output(
              load16(planes.row(j, row) + channel), load16(planes.row(6 + j, row) + channel),
              load16(planes.row(12 + j, row) + channel), load16(planes.row(18 + j, row) + channel),
              load16(planes.row(24 + j, row) + channel), load16(planes.row(30 + j, row) + channel)
            ) { columns[$0 * 6 + j] = $1 }
          }
          var offset = Vector.zero
          if let bias { offset += load(bias, channel, lanes) }
          if let perImage { offset += load(perImage + tile.image * channels, channel, lanes) }
          for i in 0..<rows {
            let r = columns + i * 6
            let line = first + i * geometry.width * channels
            WinogradTransform.output(r[0], r[1], r[2], r[3], r[4], r[5]) { j, value in
              guard j < width else { return }
              let position = line + j * channels
              var result = value + offset
              if let residual { result += load(residual + position, channel, lanes) }
              if lanes == 16 {
                store16(result, y + position + channel)
              } else {
                for lane in 0..<lanes { y[position + channel + lane] = result[lane] }
              }
            }
          }
        }
      }
    }
  }

  @inline(__always)
  private static func load(_ pointer: UnsafePointer<Float>, _ channel: Int, _ lanes: Int) -> Vector {
    lanes == 16 ? load16(pointer + channel) : loadPartial(pointer + channel, lanes)
  }

  private static func withZeros(_ count: Int, _ body: (UnsafePointer<Float>) -> Void) {
    withScratch(roundUp(count, 16)) { zeros in
      zeros.update(repeating: 0, count: roundUp(count, 16))
      body(zeros)
    }
  }
}
