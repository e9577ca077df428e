import CHDF5

/// A block of a dataset: `counts[d]` indices starting at `starts[d]` in every dimension d.
struct Box: Equatable {
  var starts: [Int]
  var counts: [Int]
}

/// The disjoint boxes, in row-major order, that together contain the elements `range` of an array of this shape
/// flattened in row-major order. In d dimensions there are at most 2d − 1.
func boxes(covering range: Range<Int>, of shape: ArraySlice<Int>) -> [Box] {
  guard !range.isEmpty, let rowCount = shape.first else { return [] }
  let rowShape = shape.dropFirst()
  let rowSize = rowShape.reduce(1, *)
  precondition(range.lowerBound >= 0 && range.upperBound <= rowCount * rowSize, "the range exceeds the shape")

  func part(ofRow row: Int, _ columns: Range<Int>) -> [Box] {
    boxes(covering: columns, of: rowShape).map { Box(starts: [row] + $0.starts, counts: [1] + $0.counts) }
  }

  let (firstRow, firstColumn) = range.lowerBound.quotientAndRemainder(dividingBy: rowSize)
  let (endRow, endColumn) = range.upperBound.quotientAndRemainder(dividingBy: rowSize)
  if firstRow == endRow { return part(ofRow: firstRow, firstColumn..<endColumn) }

  var result: [Box] = []
  if firstColumn > 0 { result += part(ofRow: firstRow, firstColumn..<rowSize) }
  let wholeRows = (firstColumn > 0 ? firstRow + 1 : firstRow)..<endRow
  if !wholeRows.isEmpty {
    result.append(
      Box(
        starts: [wholeRows.lowerBound] + rowShape.map { _ in 0 },
        counts: [wholeRows.count] + rowShape))
  }
  if endColumn > 0 { result += part(ofRow: endRow, 0..<endColumn) }
  return result
}

/// Selects the elements of some ranges, counted in row-major order, of a dataspace of this shape.
///
/// The library traverses a selection in row-major order, however it was composed; this is the flat order.
/// - Parameter ranges: from left to right, without overlap.
func select(
  _ ranges: [Range<Int>], of shape: [Int], in dataspace: borrowing Handle, _ subject: String
) throws(HDF5Error) {
  let elementCount = ranges.reduce(0) { $0 + $1.count }
  if elementCount == 0 {
    try check("H5Sselect_none", subject, H5Sselect_none(dataspace.identifier))
  } else if elementCount == shape.reduce(1, *) {
    try check("H5Sselect_all", subject, H5Sselect_all(dataspace.identifier))
  } else {
    for (index, box) in ranges.flatMap({ boxes(covering: $0, of: shape[...]) }).enumerated() {
      let status = H5Sselect_hyperslab(
        dataspace.identifier, index == 0 ? H5S_SELECT_SET : H5S_SELECT_OR,
        box.starts.map(hsize_t.init), nil, box.counts.map(hsize_t.init), nil)
      try check("H5Sselect_hyperslab", subject, status)
    }
  }
}
