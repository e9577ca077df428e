/// The positions on a sheet of fields, in pixels: a column for each variable with a heading, a colour bar, its numbers,
/// and below them a panel for each sample, at the left of the column. Variables that would make the sheet too wide are
/// below the others. Samples of a single variable have as many columns as rows, or one more, if there is room.
package struct FieldSheetLayout: Sendable, Equatable {
  /// A rectangle of pixels.
  package struct Area: Sendable, Equatable {
    package let columns: Range<Int>
    package let rows: Range<Int>
  }

  package let sampleCount: Int
  package let variableCount: Int
  /// Every point is a square of this side.
  package let enlargement: Int
  /// Of the points of a large field, every `step`-th one in each direction is shown.
  package let step: Int
  package let panelWidth: Int
  package let panelHeight: Int
  /// The width of the headings and the bars, at least that of the panels.
  package let columnWidth: Int
  /// The side of a pixel of the font.
  package let textScale: Int
  private let columnsPerVariable: Int
  /// The number of variables side by side.
  private let variablesPerBand: Int

  /// Around the sheet.
  package static let margin = 8
  /// Between panels.
  package static let gap = 12
  package static let barHeight = 12
  /// Between a text and the bar.
  private static let textGap = 4
  /// A panel that would be smaller is enlarged as far as it fits into this.
  private static let enlargedSide = 256
  /// A panel that would be larger shows fewer points.
  private static let largestSide = 512
  /// Enough for most headings and numbers.
  private static let minimumColumnWidth = 128
  /// A sheet that still fits in memory and can be displayed.
  private static let pixelLimit = 1 << 26
  /// Many programs cannot show wider pictures.
  private static let widthLimit = 1 << 14

  /// - Parameters:
  ///   - shape: [N, H, W, C], none of them zero.
  ///   - textScale: the side of a pixel of the font.
  package init(shape: [Int], textScale: Int = 1) {
    precondition(shape.count == 4 && shape.allSatisfy { $0 > 0 }, "\(shape) is not the shape of fields")
    precondition(textScale > 0, "text needs a size")
    sampleCount = shape[0]
    variableCount = shape[3]
    let longest = max(shape[1], shape[2])
    step = longest.dividedRoundingUp(by: Self.largestSide)
    enlargement = step == 1 ? max(Self.enlargedSide / longest, 1) : 1
    panelHeight = shape[1].dividedRoundingUp(by: step) * enlargement
    panelWidth = shape[2].dividedRoundingUp(by: step) * enlargement
    columnWidth = max(panelWidth, Self.minimumColumnWidth)
    self.textScale = textScale
    // At least 31, since a panel is never wider than 512 pixels.
    let columnLimit = (Self.widthLimit - 2 * Self.margin + Self.gap) / (columnWidth + Self.gap)
    let side = Int(Double(sampleCount).squareRoot().rounded(.up))
    columnsPerVariable = variableCount > 1 ? 1 : min(side, columnLimit)
    let bandCount = variableCount.dividedRoundingUp(by: columnLimit)
    variablesPerBand = variableCount.dividedRoundingUp(by: bandCount)
  }

  /// The number of samples of shape [H, W, C] that a sheet can hold; zero if there are too many variables.
  package static func capacity(shape: [Int]) -> Int {
    var (capacity, excess) = (0, pixelLimit)
    while excess - capacity > 1 {
      let count = (capacity + excess) / 2
      let layout = FieldSheetLayout(shape: [count] + shape, textScale: largestTextScale)
      if layout.height <= pixelLimit / layout.width { capacity = count } else { excess = count }
    }
    return capacity
  }

  static let largestTextScale = 2

  package var width: Int {
    2 * Self.margin + variablesPerBand * columnsPerVariable * (columnWidth + Self.gap) - Self.gap
  }
  package var height: Int {
    let bandCount = variableCount.dividedRoundingUp(by: variablesPerBand)
    return 2 * Self.margin + bandCount * (bandHeight + Self.gap) - Self.gap
  }

  package func heading(_ variable: Int) -> Area { area(variable, from: 0, height: textHeight) }
  package func bar(_ variable: Int) -> Area { area(variable, from: barTop, height: Self.barHeight) }
  /// The numbers below the bar.
  package func numbers(_ variable: Int) -> Area { area(variable, from: numbersTop, height: textHeight) }

  package func panel(sample: Int, variable: Int) -> Area {
    let (row, column) = sample.quotientAndRemainder(dividingBy: columnsPerVariable)
    let top = self.top(variable) + panelsTop + row * (panelHeight + Self.gap)
    let left = self.left(variable % variablesPerBand + column)
    return Area(columns: left..<left + panelWidth, rows: top..<top + panelHeight)
  }

  private var textHeight: Int { Font.height * textScale }
  // From the top of a variable.
  private var barTop: Int { textHeight + Self.textGap }
  private var numbersTop: Int { barTop + Self.barHeight + Self.textGap }
  private var panelsTop: Int { numbersTop + textHeight + Self.textGap }
  private var bandHeight: Int {
    let rows = sampleCount.dividedRoundingUp(by: columnsPerVariable)
    return panelsTop + rows * (panelHeight + Self.gap) - Self.gap
  }

  /// Of the width of a column.
  /// - Parameter offset: from the top of the variable.
  private func area(_ variable: Int, from offset: Int, height: Int) -> Area {
    let (left, top) = (self.left(variable % variablesPerBand), self.top(variable) + offset)
    return Area(columns: left..<left + columnWidth, rows: top..<top + height)
  }

  private func top(_ variable: Int) -> Int {
    Self.margin + variable / variablesPerBand * (bandHeight + Self.gap)
  }

  private func left(_ column: Int) -> Int { Self.margin + column * (columnWidth + Self.gap) }
}

extension Int {
  fileprivate func dividedRoundingUp(by divisor: Int) -> Int { (self - 1) / divisor + 1 }
}
