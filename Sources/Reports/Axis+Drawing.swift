import TextFormatting

// Axes in SVG drawings without a fixed size: positions are percentages, and paths are in a square of 1000 x 1000 that is
// stretched.
extension Axis {
  /// The lines of the ticks of a horizontal axis, with their labels below.
  var bottomTicks: HTML {
    HTML.joined(
      ticks.map { tick -> HTML in
        let position = percent(of: tick.value)
        return """
          <line class="grid" x1="\(position)" x2="\(position)" y1="0" y2="100%"/>\
          <text x="\(position)" y="100%" dy="16" text-anchor="middle">\(tick.label)</text>
          """
      })
  }

  /// The lines of the ticks of a vertical axis, with their labels on the left.
  var leftTicks: HTML {
    HTML.joined(
      ticks.map { tick -> HTML in
        let position = Self.percent(1 - self.position(of: tick.value))
        return """
          <line class="grid" x1="0" x2="100%" y1="\(position)" y2="\(position)"/>\
          <text x="-8" y="\(position)" dy=".35em" text-anchor="end">\(tick.label)</text>
          """
      })
  }

  /// The distance from the left of a horizontal axis.
  func percent(of value: Double) -> String { Self.percent(position(of: value)) }

  private static func percent(_ share: Double) -> String { String(printf: "%.2f%%", 100 * share) }

  /// A path through points; without a y there is a gap.
  /// - Parameter joined: whether neighbours are joined by lines; otherwise each is a dot.
  static func path(_ points: some Sequence<(x: Double, y: Double?)>, x: Axis, y: Axis, joined: Bool = true) -> String {
    var text = ""
    var isDrawing = false
    for point in points {
      guard let height = point.y else {
        isDrawing = false
        continue
      }
      let across = number(1000 * x.position(of: point.x))
      let down = number(1000 * (1 - y.position(of: height)))
      text += joined && isDrawing ? "L\(across) \(down)" : "M\(across) \(down)\(joined ? "" : "h0")"
      isDrawing = true
    }
    return text
  }

  private static func number(_ value: Double) -> String { String(printf: "%.1f", value) }
}
