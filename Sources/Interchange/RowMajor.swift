/// The elements of an array in row-major order.
/// - Parameters:
///   - values: the elements as stored, of which the array may be a part.
///   - offset: the index of the array's first element.
///   - strides: the distance in elements between neighbours along each axis.
func rowMajor<Element>(_ values: [Element], from offset: Int = 0, shape: [Int], strides: [Int]) -> [Element] {
  if shape.contains(0) { return [] }
  var result: [Element] = []
  result.reserveCapacity(shape.reduce(1, *))
  func append(from offset: Int, axis: Int) {
    if axis == shape.count { return result.append(values[offset]) }
    for index in 0..<shape[axis] { append(from: offset + index * strides[axis], axis: axis + 1) }
  }
  append(from: offset, axis: 0)
  return result
}
