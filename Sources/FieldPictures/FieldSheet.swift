import Failures
import Images
import Tensors

/// Fields side by side: a column for each variable, under its name, its units and a colour bar with its range, and a
/// row for each sample; of a single variable, several samples in a row, and of many variables, some below the others.
/// The first row of a field is at the top.
package struct FieldSheet {
  /// What is shown of one channel.
  package struct Variable: Sendable {
    package let name: String
    /// Empty if there are none.
    package let units: String
    /// nil for a scale of the values that are shown (`ColourScale.init(spanning:)`).
    package let scale: ColourScale?

    package init(_ name: String, units: String = "", scale: ColourScale? = nil) {
      self.name = name
      self.units = units
      self.scale = scale
    }

    var heading: String { units.isEmpty ? name : "\(name) [\(units)]" }
  }

  package let layout: FieldSheetLayout
  /// One for each variable.
  package let scales: [ColourScale]
  private let fields: Tensor
  private let variables: [Variable]
  private let numbers: [BarNumbers]

  /// - Parameters:
  ///   - fields: [N, H, W, C] in physical units; N and C at least 1.
  ///   - variables: one for each channel.
  /// - Throws: `InputError` for more than a sheet can hold.
  package init(_ fields: Tensor, _ variables: [Variable]) throws(InputError) {
    precondition(fields.shape.count == 4 && variables.count == fields.shape[3], "a channel is one variable")
    let capacity = FieldSheetLayout.capacity(shape: Array(fields.shape.dropFirst()))
    guard fields.shape[0] <= capacity else {
      throw InputError(
        "\(fields.shape[0]) samples of \(variables.count) variables are more than a sheet can hold; it has room for "
          + "\(capacity) samples of so many variables")
    }
    self.fields = fields
    self.variables = variables
    let scales = variables.indices.map { channel in
      variables[channel].scale ?? ColourScale(spanning: extremes(of: fields, channel: channel))
    }
    let numbers = scales.map(BarNumbers.init)
    self.scales = scales
    self.numbers = numbers
    let columnWidth = FieldSheetLayout(shape: fields.shape).columnWidth
    let fits = { (scale: Int) in
      zip(variables, numbers).allSatisfy {
        max(Font.width(of: $0.heading), $1.minimumWidth) * scale <= columnWidth
      }
    }
    let large = FieldSheetLayout.largestTextScale
    layout = FieldSheetLayout(shape: fields.shape, textScale: fits(large) ? large : 1)
  }

  /// The number of samples of shape [H, W, C] that a sheet can hold; zero if there are too many variables.
  package static func capacity(shape: [Int]) -> Int { FieldSheetLayout.capacity(shape: shape) }

  /// Draws the sheet, in red, green and blue.
  package func image() -> Image {
    var canvas = Canvas(width: layout.width, height: layout.height, background: Colour(grey: 255))
    for variable in variables.indices {
      drawHead(variable, on: &canvas)
      for sample in 0..<layout.sampleCount { drawPanel(sample, variable, on: &canvas) }
    }
    return canvas.image
  }

  private static let frameColour = Colour(grey: 96)

  private func drawHead(_ variable: Int, on canvas: inout Canvas) {
    let (bar, numbersArea, textScale) = (layout.bar(variable), layout.numbers(variable), layout.textScale)
    let textWidth = layout.columnWidth / textScale
    canvas.draw(shortened(variables[variable].heading, to: textWidth), at: layout.heading(variable), scale: textScale)
    canvas.frame(bar.columns, bar.rows, Self.frameColour)
    for (index, x) in bar.columns.enumerated() {
      let position = Double(index) / Double(bar.columns.count - 1)
      canvas.fill(x..<x + 1, bar.rows, scales[variable].barColour(at: position))
    }
    for (text, left) in numbers[variable].placed(in: textWidth) {
      canvas.draw(text, at: numbersArea, indent: left * textScale, scale: textScale)
    }
  }

  private func drawPanel(_ sample: Int, _ variable: Int, on canvas: inout Canvas) {
    let area = layout.panel(sample: sample, variable: variable)
    canvas.frame(area.columns, area.rows, Self.frameColour)
    let (height, width, channels) = (fields.shape[1], fields.shape[2], fields.shape[3])
    let side = layout.enlargement
    for (row, y) in stride(from: 0, to: height, by: layout.step).enumerated() {
      let top = area.rows.lowerBound + row * side
      for (column, x) in stride(from: 0, to: width, by: layout.step).enumerated() {
        let left = area.columns.lowerBound + column * side
        let value = fields[((sample * height + y) * width + x) * channels + variable]
        canvas.fill(left..<left + side, top..<top + side, scales[variable].colour(of: value))
      }
    }
  }
}

/// The smallest and the largest finite value of a channel; nil if there is none.
private func extremes(of fields: Tensor, channel: Int) -> ClosedRange<Double>? {
  var (low, high) = (Float.infinity, -Float.infinity)
  for index in stride(from: channel, to: fields.count, by: fields.shape[3]) {
    let value = fields[index]
    guard value.isFinite else { continue }
    low = min(low, value)
    high = max(high, value)
  }
  return low <= high ? Double(low)...Double(high) : nil
}

/// The text, or as much of it as fits and two points.
private func shortened(_ text: String, to width: Int) -> String {
  guard Font.width(of: text) > width else { return text }
  let count = (width + Font.advance - Font.width) / Font.advance
  return String(text.prefix(max(count - 2, 0))) + String(repeating: ".", count: min(count, 2))
}

/// The numbers below a colour bar: both ends, and the middle if there is room. A constant has one number.
private struct BarNumbers {
  let low: String
  let middle: String
  let high: String

  init(_ scale: ColourScale) {
    guard let range = scale.range, let middle = scale.middle else {
      (low, self.middle, high) = ("nan", "nan", "nan")
      return
    }
    let count = digitCount(of: range)
    low = significantDigits(range.lowerBound, count: count)
    high = significantDigits(range.upperBound, count: count)
    self.middle = significantDigits(middle, count: count)
  }

  /// The width of both ends with a space between them.
  var minimumWidth: Int { Font.width(of: "\(low) \(high)") }

  /// The texts and their first columns, in pixels of the font.
  func placed(in width: Int) -> [(text: String, left: Int)] {
    let right = width - Font.width(of: high)
    if low == high || minimumWidth > width {
      let text = shortened(low, to: width)
      return [(text, (width - Font.width(of: text)) / 2)]
    }
    let left = (width - Font.width(of: middle)) / 2
    let hasRoom = left >= Font.width(of: low) + Font.advance && left + Font.width(of: middle) + Font.advance <= right
    return [(low, 0), (high, right)] + (hasRoom ? [(middle, left)] : [])
  }
}
