import Kernels
import Tensors

extension Tape {
  /// y_n = x_n + table[row_n]: adds a learned vector per class.
  ///
  /// - Parameters:
  ///   - table: [K, channels].
  ///   - rows: the row added to each image, N numbers below K.
  ///   - x: [N, channels].
  package func addingRows(of table: ParameterEntry, _ rows: [Int], to x: Variable) -> Variable {
    let channels = table.shape[1]
    precondition(x.shape == [rows.count, channels], "rows of \(table.shape) cannot be added to \(x.shape)")
    precondition(rows.allSatisfy { (0..<table.shape[0]).contains($0) }, "rows must lie in 0..<\(table.shape[0])")
    let y = Tensor(uninitialised: x.shape)
    profiler.measure(.rowAddition, Work(floats: 3 * y.count)) {
      for (index, row) in rows.enumerated() {
        Elementwise.sum(
          x.value[index..<index + 1], values(table)[row..<row + 1], into: y[index..<index + 1], workers: workers)
      }
    }
    let dx = x.gradient
    return record(y, inputs: [x], parameters: [table]) { [unowned self] dy, isShared in
      accumulateRowGradients(dy, rows, table)
      dx.add(dy, isShared: isShared, on: self)
    }
  }

  /// The gradients of images with the same row are summed in order, and the sum is added once: see `Tape.gradients`.
  private func accumulateRowGradients(_ dy: Tensor, _ rows: [Int], _ table: ParameterEntry) {
    guard let gradients else { return }
    profiler.measure(.rowAddition, Work(floats: 2 * dy.count)) {
      for row in 0..<table.shape[0] {
        let images = rows.indices.filter { rows[$0] == row }
        if images.isEmpty { continue }
        let sum = dy[images[0]..<images[0] + 1].copied()
        for image in images.dropFirst() { Elementwise.add(dy[image..<image + 1], into: sum, workers: workers) }
        Elementwise.add(sum, into: gradients.tensor(table)[row..<row + 1], workers: workers)
      }
    }
  }
}
