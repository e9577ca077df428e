import Failures
import FieldPictures
import Images
import Tensors
import Testing

struct FieldSheetTests {
  @Test(arguments: [
    (1, 256, 1, 256), (5, 51, 1, 255), (32, 8, 1, 256), (64, 4, 1, 256), (100, 2, 1, 200), (128, 2, 1, 256),
    (129, 1, 1, 129), (512, 1, 1, 512), (513, 1, 2, 257), (1024, 1, 2, 512), (4000, 1, 8, 500),
  ])
  func smallFieldsAreEnlargedAndLargeOnesThinned(side: Int, enlargement: Int, step: Int, panel: Int) {
    let layout = FieldSheetLayout(shape: [1, side, side, 1])
    #expect(layout.enlargement == enlargement)
    #expect(layout.step == step)
    #expect(layout.panelWidth == panel && layout.panelHeight == panel)
  }

  @Test func areasLieWithinTheSheetAndDoNotOverlap() {
    for (shape, textScale) in [([3, 64, 48, 2], 1), ([1, 5, 300, 3], 2), ([2, 700, 3, 1], 1), ([7, 9, 9, 1], 1)] {
      let layout = FieldSheetLayout(shape: shape, textScale: textScale)
      var overlapCount = 0
      var used = [Bool](repeating: false, count: layout.width * layout.height)
      var areas = (0..<shape[3]).map(layout.bar)
      for variable in 0..<shape[3] {
        areas += (0..<shape[0]).map { layout.panel(sample: $0, variable: variable) }
        areas += [layout.heading(variable), layout.numbers(variable)]
      }
      for area in areas {
        for y in area.rows {
          for x in area.columns {
            if used[y * layout.width + x] { overlapCount += 1 }
            used[y * layout.width + x] = true
          }
        }
      }
      #expect(overlapCount == 0)
      // A margin on each side.
      let lines = [0, layout.height - 1].map { y in (0..<layout.width).map { y * layout.width + $0 } }
      #expect(lines.joined().allSatisfy { !used[$0] })
      #expect((0..<layout.height).allSatisfy { !used[$0 * layout.width] && !used[($0 + 1) * layout.width - 1] })
    }
  }

  @Test func samplesOfOneVariableFillRows() {
    let layout = FieldSheetLayout(shape: [7, 64, 64, 1])
    let panels = (0..<7).map { layout.panel(sample: $0, variable: 0) }
    #expect(Set(panels.map(\.columns)).count == 3 && Set(panels.map(\.rows)).count == 3)
    #expect(panels[2].rows == panels[0].rows && panels[3].columns == panels[0].columns)
  }

  @Test func manyVariablesAreWrapped() {
    let layout = FieldSheetLayout(shape: [2, 16, 16, 300])
    #expect(layout.width <= 1 << 14)
    // Five bands of sixty.
    #expect(layout.heading(59).rows == layout.heading(0).rows && layout.bar(60).columns == layout.bar(0).columns)
    let gap = layout.heading(60).rows.lowerBound - layout.panel(sample: 1, variable: 59).rows.upperBound
    #expect(gap == FieldSheetLayout.gap)
    let last = layout.panel(sample: 1, variable: 299)
    #expect(last.rows.upperBound + FieldSheetLayout.margin == layout.height)
    #expect(last.columns == layout.panel(sample: 0, variable: 59).columns && last.columns.upperBound <= layout.width)
    // Samples of one variable, too.
    #expect(FieldSheetLayout(shape: [4000, 1, 512, 1]).width <= 1 << 14)
  }

  @Test func capacityIsWhatFitsInTheLimit() throws {
    let limit = 1 << 26
    for shape in [[64, 64, 1], [64, 64, 4], [512, 512, 20], [3, 300, 7]] {
      let capacity = FieldSheet.capacity(shape: shape)
      let full = FieldSheetLayout(shape: [capacity] + shape, textScale: 2)
      #expect(full.width * full.height <= limit)
      let beyond = FieldSheetLayout(shape: [capacity + 1] + shape, textScale: 2)
      #expect(beyond.width * beyond.height > limit)
    }
    #expect(FieldSheet.capacity(shape: [64, 64, 1_000_000]) == 0)
  }

  @Test func moreThanASheetHoldsIsRefused() throws {
    let count = 600
    let names = (0..<count).map { FieldSheet.Variable("v\($0)") }
    let error = try #require(throws: InputError.self) {
      _ = try FieldSheet(Tensor(repeating: 0, shape: [count, 1, 1, count]), names)
    }
    #expect(error.description.contains("600 samples of 600 variables"))
  }

  @Test func pointsHaveTheColoursOfTheirValues() throws {
    // Column 0 rises from 0 to 14; column 1 has both signs and a gap.
    let (height, width) = (3, 5)
    var values: [Float] = []
    for sample in 0..<2 {
      for point in 0..<height * width {
        values.append(Float(point))
        values.append(sample == 1 && point == 4 ? .nan : Float(point) - 7)
      }
    }
    let sheet = try FieldSheet(
      Tensor(values, shape: [2, height, width, 2]), [.init("T", units: "K"), .init("vorticity")])
    #expect(sheet.scales == [ColourScale(0...14), ColourScale(-7...7)])
    let image = sheet.image()
    var differences = 0
    for sample in 0..<2 {
      for variable in 0..<2 {
        let area = sheet.layout.panel(sample: sample, variable: variable)
        for (row, y) in area.rows.enumerated() {
          for (column, x) in area.columns.enumerated() {
            let (i, j) = (row / sheet.layout.enlargement, column / sheet.layout.enlargement)
            let value = values[((sample * height + i) * width + j) * 2 + variable]
            if image.colour(x, y) != sheet.scales[variable].colour(of: value) { differences += 1 }
          }
        }
      }
    }
    #expect(differences == 0)
  }

  @Test func barsEndsHaveTheColoursOfTheRange() throws {
    let fields = Tensor([Float]([3, -1, 8, 1]), shape: [1, 1, 2, 2])
    let sheet = try FieldSheet(fields, [.init("a"), .init("b", scale: ColourScale(0...2))])
    let image = sheet.image()
    for (variable, ends) in [(0, (Float(3), Float(8))), (1, (0, 2))] {
      let bar = sheet.layout.bar(variable)
      let scale = sheet.scales[variable]
      for y in bar.rows {
        #expect(image.colour(bar.columns.lowerBound, y) == scale.colour(of: ends.0))
        #expect(image.colour(bar.columns.upperBound - 1, y) == scale.colour(of: ends.1))
      }
    }
    // Below its range.
    let panel = sheet.layout.panel(sample: 0, variable: 1)
    #expect(image.colour(panel.columns.lowerBound, panel.rows.lowerBound) == ColourMap.sequential.colour(at: 0))
  }

  @Test func headingsAndNumbersAreDrawnPixelByPixel() throws {
    let sheet = try FieldSheet(Tensor([Float]([-2, 2]), shape: [1, 1, 2, 1]), [.init("wind", units: "m/s")])
    let (layout, image) = (sheet.layout, sheet.image())
    #expect(layout.textScale == 2)
    let width = layout.bar(0).columns.count
    image.expect("wind [m/s]", at: layout.heading(0), scale: 2)
    image.expect("-2", at: layout.numbers(0), scale: 2)
    image.expect("0", at: layout.numbers(0), indent: (width / 2 - Font.width) / 2 * 2, scale: 2)
    image.expect("2", at: layout.numbers(0), indent: width - 2 * Font.width, scale: 2)
  }

  @Test func longHeadingsAreSmallerAndThenCut() throws {
    let name = "a name of more than 21 letters"
    let sheet = try FieldSheet(Tensor(repeating: 1, shape: [1, 129, 129, 1]), [.init(name)])
    #expect(sheet.layout.textScale == 1)
    sheet.image().expect("a name of more than..", at: sheet.layout.heading(0), scale: 1)
  }

  @Test func constantsAndMissingValuesAreShown() throws {
    let values: [Float] = [5, .nan, 5, .infinity]
    let sheet = try FieldSheet(Tensor(values, shape: [1, 1, 2, 2]), [.init("constant"), .init("missing")])
    let (layout, image) = (sheet.layout, sheet.image())
    for (variable, colour, text) in [
      (0, ColourMap.sequential.colour(at: 0.5), "5"), (1, ColourScale.missing, "nan"),
    ] {
      let (bar, panel) = (layout.bar(variable), layout.panel(sample: 0, variable: variable))
      for x in bar.columns { #expect(image.colour(x, bar.rows.lowerBound) == colour) }
      for x in panel.columns { #expect(image.colour(x, panel.rows.lowerBound) == colour) }
      let indent = (bar.columns.count / layout.textScale - Font.width(of: text)) / 2 * layout.textScale
      image.expect(text, at: layout.numbers(variable), indent: indent, scale: layout.textScale)
    }
  }

  @Test func closeEndsGetMoreDigits() throws {
    let values: [Float] = [101_326, 101_329]
    let sheet = try FieldSheet(Tensor(values, shape: [1, 1, 2, 1]), [.init("p")])
    sheet.image().expect("1.01326e5", at: sheet.layout.numbers(0), scale: sheet.layout.textScale)
  }
}

extension Image {
  fileprivate func colour(_ x: Int, _ y: Int) -> Colour {
    let index = channels * (y * width + x)
    return Colour(red: pixels[index], green: pixels[index + 1], blue: pixels[index + 2])
  }

  /// Verifies that a text begins at the left of an area, after an indent, in black on white.
  fileprivate func expect(_ text: String, at area: FieldSheetLayout.Area, indent: Int = 0, scale: Int) {
    let (left, top) = (area.columns.lowerBound + indent, area.rows.lowerBound)
    var differences = 0
    for (index, character) in text.enumerated() {
      let rows = Font.rows(of: character)
      for y in 0..<Font.height * scale {
        for x in 0..<Font.width * scale {
          let isInk = rows[y / scale] >> (x / scale) & 1 == 1
          let drawn = colour(left + index * Font.advance * scale + x, top + y)
          if drawn != Colour(grey: isInk ? 0 : 255) { differences += 1 }
        }
      }
    }
    #expect(differences == 0, "\(text) is drawn otherwise")
  }
}
