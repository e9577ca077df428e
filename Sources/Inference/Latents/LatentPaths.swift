import Diffusion
import Tensors

/// Interpolates latents between pairs of ends, one pair per row. A rank computes the ends of a row when it reaches it,
/// so that there may be any number of rows.
final class LatentPaths {
  private let request: LatentJob.Interpolation
  private let map: LatentMap
  private let data: DataImages?
  /// Indices in a data set, two images per row, in order.
  private let pairs: [Int]
  private var classCount: Int? { map.model.configuration.model.classes }
  /// The ends of the rows that were used last, two per row.
  private var ends: (rows: Range<Int>, latents: DoubleTensor)?

  /// Collective.
  /// - Parameter data: the source of the ends; nil for random latents.
  /// - Throws: `JobFailure` on all ranks if there are too few images.
  init(_ request: LatentJob.Interpolation, _ map: LatentMap, data: DataImages?) throws {
    self.request = request
    self.map = map
    self.data = data
    let classCount = map.model.configuration.model.classes
    pairs = try map.communicator.together { try data?.pairs(request.rows, classCount: classCount) ?? [] }
  }

  func label(ofRow row: Int) -> Int? {
    data.map { $0.dataset.label(of: pairs[2 * row]) } ?? classCount.map { row % $0 }
  }

  /// Latents of a range of all images, [range.count, H, W, C], on this rank alone; successive ranges must ascend.
  func latents(_ images: Range<Int>) throws -> Tensor {
    let columns = request.columns
    let rows = images.lowerBound / columns..<(images.upperBound - 1) / columns + 1
    let ends = try ends(of: rows)
    let parts = images.flatMap { image -> [Double] in
      let (row, column) = (image / columns - rows.lowerBound, image % columns)
      return sphericalInterpolation(
        ends.images([2 * row]), ends.images([2 * row + 1]), share: Double(column) / Double(columns - 1)
      ).elements
    }
    return DoubleTensor(parts, shape: [images.count] + map.model.imageShape).single
  }

  /// Two latents per row.
  private func ends(of rows: Range<Int>) throws -> DoubleTensor {
    // The last row of a batch continues in the next batch.
    var elements: [Double] = []
    var first = rows.lowerBound
    if let ends, ends.rows.contains(first) {
      let known = first..<min(ends.rows.upperBound, rows.upperBound)
      let start = ends.rows.lowerBound
      let indices = 2 * (known.lowerBound - start)..<2 * (known.upperBound - start)
      elements = ends.latents.images(Array(indices)).elements
      first = known.upperBound
    }
    // Two images per row, in batches of the usual size.
    for start in stride(from: 2 * first, to: 2 * rows.upperBound, by: map.batchSize) {
      let range = start..<min(start + map.batchSize, 2 * rows.upperBound)
      elements += try makeEnds(range).elements
    }
    let latents = DoubleTensor(elements, shape: [2 * rows.count] + map.model.imageShape)
    ends = (rows, latents)
    return latents
  }

  private func makeEnds(_ range: Range<Int>) throws -> DoubleTensor {
    guard let data else {
      return DoubleTensor(
        Latents.draw(shape: [range.count] + map.model.imageShape, seed: request.seed, firstImage: range.lowerBound))
    }
    let images = DoubleTensor(try data.images(range.map { pairs[$0] }))
    return try map.follow(.encode, images, range.map { data.dataset.label(of: pairs[$0]) })
  }
}
