/// Lines over common axes, such as the model's and the data's: a figure of the page. It needs no script.
struct Chart {
  struct Line {
    /// How it is drawn: the class in the page's style.
    enum Role: String {
      case drawn
      case reference
    }

    var role: Role
    var points: [(x: Double, y: Double?)]
  }

  enum Scale {
    case linear
    /// Linear where values are not positive, or it would not be possible.
    case logarithmic
  }

  var title: String
  /// What is along the horizontal axis.
  var across: String
  var x: Axis
  private let y: Axis
  private let lines: [Line]
  var summary: String

  /// - Parameter base: a value that the vertical axis includes.
  /// - Returns: nil if there are not two points with finite numbers.
  init?(
    _ title: String, across: String, x: (axis: Axis, range: ClosedRange<Double>), scale: Scale = .linear,
    including base: Double? = nil, lines: [Line], summary: String
  ) {
    func isShown(_ point: (x: Double, y: Double?)) -> Bool { x.range.contains(point.x) }
    let isPositive = lines.contains { line in line.points.contains { ($0.y ?? 0) > 0 } }
    let isLogarithmic = scale == .logarithmic && isPositive
    self.lines = lines.map { line in
      Line(
        role: line.role,
        points: line.points.filter(isShown).map { point in
          (x: point.x, y: point.y.flatMap { $0.isFinite && (!isLogarithmic || $0 > 0) ? $0 : nil })
        })
    }
    let values = self.lines.flatMap { $0.points.compactMap(\.y) }
    guard values.count >= 2, let minimum = values.min(), let maximum = values.max() else { return nil }
    let range = min(minimum, base ?? minimum)...max(maximum, base ?? maximum)
    y = (isLogarithmic ? Axis.logarithmic(covering: minimum...maximum) : nil) ?? Axis.linear(covering: range)
    (self.title, self.across, self.x, self.summary) = (title, across, x.axis, summary)
  }

  /// - Parameter identifier: of the figure's element.
  func html(_ identifier: String) -> HTML {
    let paths = lines.map { line -> HTML in
      "<path class=\"\(line.role.rawValue)\" d=\"\(Axis.path(line.points, x: x, y: y))\"/>"
    }
    return """
      <figure class="chart" id="\(identifier)">
      <h3>\(title)</h3>
      <svg class="plot" role="img" aria-label="\(title): \(summary)">
      \(x.bottomTicks)<text class="axis" x="100%" y="100%" dy="32" text-anchor="end">\(across)</text>
      \(y.leftTicks)
      <svg class="lines" width="100%" height="100%" viewBox="0 0 1000 1000" preserveAspectRatio="none">
      \(HTML.joined(paths))</svg>
      </svg>
      <figcaption>\(summary)</figcaption>
      </figure>

      """
  }
}
