import Reporting
import TextFormatting

/// A curve as a figure of the page: an SVG drawing with a linear and, if possible, a logarithmic axis, and the numbers
/// that its script shows.
///
/// The drawing has no fixed size: positions are percentages, and paths are stretched without their strokes, so text has
/// the same size on every screen.
struct CurveFigure {
  let curve: Curve
  let steps: Axis
  /// The steps after which the program was started again.
  let restartSteps: [Int]

  var html: HTML {
    let values = curve.points.compactMap(\.value)
    guard let minimum = values.min(), let maximum = values.max(), let last = values.last else {
      return """
        <figure class="curve empty"><h3>\(curve.title)</h3>
        <p>None of its \(ProgressFormat.count(curve.pointCount, of: "value")) is a finite number.</p></figure>
        """
    }
    let linear = Axis.linear(covering: minimum...maximum)
    let logarithmic = Axis.logarithmic(covering: minimum...maximum)
    let unit = curve.unit.isEmpty ? "" : " \(curve.unit)"
    let lastStep = curve.points.last { $0.value != nil }?.step ?? 0
    let summary =
      "\(ProgressFormat.count(curve.pointCount, of: "value")) from \(Self.number(minimum)) to \(Self.number(maximum))"
      + "\(unit), the last \(Self.number(last))\(unit) at step \(lastStep)"
    let averageNote = curve.averages.isEmpty ? "" : " Bold: moving average over about \(curve.averageSpan) values."
    let scale: HTML =
      logarithmic == nil
      ? "" : "<label><input type=\"checkbox\" class=\"scale\" autocomplete=\"off\"> log axis</label>"
    return """
      <figure class="curve" id="curve-\(curve.name)" data-scale="linear" tabindex="0" role="group" \
      aria-label="\(curve.title)">
      <h3>\(curve.title)\(unit.isEmpty ? "" : ",")\(unit)</h3>
      <div class="bar"><output class="readout">\(Self.number(last))\(unit) at step \(lastStep)</output>\(scale)</div>
      <svg class="plot" role="img" aria-label="\(curve.title): \(summary)">
      \(steps.bottomTicks)<text class="axis" x="100%" y="100%" dy="32" text-anchor="end">step</text>
      \(drawing(linear, name: "linear"))
      \(logarithmic.map { drawing($0, name: "logarithmic") } ?? "")
      \(HTML.joined(restartSteps.map(mark)))
      <line class="cursor" y1="0" y2="100%"/><circle class="dot" r="4"/>
      </svg>
      <figcaption>\(summary).\(averageNote)</figcaption>
      <script type="application/json">\(verbatim: data(linear, logarithmic))</script>
      </figure>

      """
  }

  /// `0.04321`, `812`, `0.0002`.
  static func number(_ value: Double) -> String { String(printf: "%.4g", value) }

  private func mark(_ step: Int) -> HTML {
    let position = steps.percent(of: Double(step))
    return """
      <line class="restart" x1="\(position)" x2="\(position)" y1="0" y2="100%">\
      <title>resumed after step \(step)</title></line>
      """
  }

  private func drawing(_ axis: Axis, name: String) -> HTML {
    let values = curve.points.map(\.value)
    let isAveraged = !curve.averages.isEmpty
    // If there are few values, each one is marked.
    let dots: HTML = values.count <= 40 ? "<path class=\"points\" d=\"\(path(values, axis, joined: false))\"/>" : ""
    let average: HTML = isAveraged ? "<path class=\"line\" d=\"\(path(curve.averages, axis))\"/>" : ""
    return """
      <g class="\(name)">\(axis.leftTicks)
      <svg class="lines" width="100%" height="100%" viewBox="0 0 1000 1000" preserveAspectRatio="none">
      <path class="\(isAveraged ? "faint" : "line")" d="\(path(values, axis))"/>\(average)\(dots)</svg></g>
      """
  }

  /// Lines between neighbouring values, or dots.
  private func path(_ values: [Double?], _ axis: Axis, joined: Bool = true) -> String {
    let points = zip(curve.points, values).map { (x: Double($0.step), y: $1) }
    return Axis.path(points, x: steps, y: axis, joined: joined)
  }

  /// The data for the page's script: the ends of the axes, and the step, value and average of each point.
  private func data(_ linear: Axis, _ logarithmic: Axis?) -> String {
    let points = curve.points.enumerated().map { index, point in
      let average = curve.averages.isEmpty ? nil : curve.averages[index]
      return "[\(point.step),\(Self.json(point.value)),\(Self.json(average))]"
    }
    let logarithmicEnds = logarithmic.map { "[\($0.lower),\($0.upper)]" } ?? "null"
    return """
      {"steps":[\(steps.lower),\(steps.upper)],"linear":[\(linear.lower),\(linear.upper)],\
      "logarithmic":\(logarithmicEnds),"unit":"\(curve.unit)","points":[\(points.joined(separator: ","))]}
      """
  }

  private static func json(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "null" }
    return String(printf: "%.6g", value)
  }
}
