import Images

/// A picture in colour that things are drawn on.
struct Canvas {
  private(set) var image: Image

  init(width: Int, height: Int, background: Colour) {
    image = Image(width: width, height: height, channels: 3, pixels: [UInt8](repeating: 0, count: 3 * width * height))
    fill(0..<width, 0..<height, background)
  }

  /// Sets a pixel; pixels beyond the edges are left out.
  mutating func set(_ x: Int, _ y: Int, _ colour: Colour) {
    guard x >= 0, x < image.width, y >= 0, y < image.height else { return }
    let index = 3 * (y * image.width + x)
    image.pixels[index] = colour.red
    image.pixels[index + 1] = colour.green
    image.pixels[index + 2] = colour.blue
  }

  mutating func fill(_ columns: Range<Int>, _ rows: Range<Int>, _ colour: Colour) {
    for y in rows { for x in columns { set(x, y, colour) } }
  }

  /// A line of one pixel around a rectangle.
  mutating func frame(_ columns: Range<Int>, _ rows: Range<Int>, _ colour: Colour) {
    for y in [rows.lowerBound - 1, rows.upperBound] {
      fill(columns.lowerBound - 1..<columns.upperBound + 1, y..<y + 1, colour)
    }
    for x in [columns.lowerBound - 1, columns.upperBound] { fill(x..<x + 1, rows, colour) }
  }

  /// Draws a text in black, from the left of an area.
  /// - Parameters:
  ///   - indent: the pixels before it.
  ///   - scale: the side of a pixel of the font.
  mutating func draw(_ text: String, at area: FieldSheetLayout.Area, indent: Int = 0, scale: Int) {
    let (left, top) = (area.columns.lowerBound + indent, area.rows.lowerBound)
    for (index, character) in text.enumerated() {
      for (row, bits) in Font.rows(of: character).enumerated() {
        for column in 0..<Font.width where bits >> column & 1 == 1 {
          let (x, y) = (left + (index * Font.advance + column) * scale, top + row * scale)
          fill(x..<x + scale, y..<y + scale, Colour(grey: 0))
        }
      }
    }
  }
}
