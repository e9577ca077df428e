/// The rows and columns of a source's grid that are packed: its centre, or all of it with its border repeated around it.
package struct FieldFrame: Sendable, Equatable {
  /// For each row of the result the source's.
  package let rows: [Int]
  package let columns: [Int]
  private let top: Int
  private let left: Int
  private let sourceWidth: Int

  package var height: Int { rows.count }
  package var width: Int { columns.count }

  /// - Parameters:
  ///   - height: of the source.
  ///   - width: of the source.
  ///   - newHeight: smaller to crop, larger to pad; of an odd difference, the larger part is below.
  ///   - newWidth: the same; of an odd difference, the larger part is on the right.
  package init(height: Int, width: Int, newHeight: Int, newWidth: Int) {
    top = Self.start(height, newHeight)
    left = Self.start(width, newWidth)
    rows = Self.indices(height, newHeight, from: top)
    columns = Self.indices(width, newWidth, from: left)
    sourceWidth = width
  }

  /// For each position of the result, in the order of rows and columns, that in the source.
  func positions() -> [Int] {
    var positions: [Int] = []
    // Growing would hold a large frame twice.
    positions.reserveCapacity(rows.count * columns.count)
    for row in rows {
      for column in columns { positions.append(row * sourceWidth + column) }
    }
    return positions
  }

  /// The position in the source of the first index; negative if there is padding.
  private static func start(_ count: Int, _ newCount: Int) -> Int {
    newCount <= count ? (count - newCount) / 2 : -((newCount - count) / 2)
  }

  private static func indices(_ count: Int, _ newCount: Int, from start: Int) -> [Int] {
    (0..<newCount).map { min(max($0 + start, 0), count - 1) }
  }

  /// The coordinates of the result. Where rows or columns are padded, they continue with the distance at the border.
  package func coordinates(_ coordinates: FieldCoordinates) -> FieldCoordinates {
    FieldCoordinates(
      y: coordinates.y.flatMap { Self.axis($0, from: top, count: height) },
      x: coordinates.x.flatMap { Self.axis($0, from: left, count: width) })
  }

  private static func axis(_ axis: FieldAxis, from start: Int, count: Int) -> FieldAxis? {
    let old = axis.values
    let last = old.count - 1
    if (start < 0 || start + count > old.count) && old.count < 2 { return nil }
    var axis = axis
    axis.values = (start..<start + count).map { index in
      if index < 0 { return old[0] + Double(index) * (old[1] - old[0]) }
      if index > last { return old[last] + Double(index - last) * (old[last] - old[last - 1]) }
      return old[index]
    }
    return axis
  }
}
