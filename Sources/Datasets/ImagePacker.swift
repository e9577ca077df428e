import Compression
import Failures
import Files
import HDF5
import Tensors

/// Writes a file of `PackedImages` piece by piece, so that data sets of any size can be packed.
package struct ImagePacker: Sendable {
  package var name: String
  package var training: any ImageDataset
  package var test: (any ImageDataset)?
  package var allowsFlips: Bool

  /// The approximate number of bytes of images held at once; small enough for frequent progress reports.
  private static let pieceSize = 1 << 22

  package init(name: String, training: any ImageDataset, test: (any ImageDataset)? = nil, allowsFlips: Bool) {
    precondition(test.map { $0.imageShape == training.imageShape } ?? true, "test images must have the same shape")
    self.name = name
    self.training = training
    self.test = test
    self.allowsFlips = allowsFlips
  }

  /// All images.
  package var count: Int { training.count + (test?.count ?? 0) }

  /// Writes a file that appears completely or not at all: under a temporary name, flushed to the disk, then renamed.
  /// Only the thread that calls libhdf5 may call this.
  ///
  /// If images prove to be damaged, all others are still read to find every damaged one, but no file is written.
  ///
  /// - Parameters:
  ///   - path: the file; an existing one is replaced.
  ///   - stopsAtDamage: whether to stop at the first damaged image.
  ///   - progress: called with the number of images done.
  /// - Returns: the damaged images of each part; the file is written if there are none.
  /// - Throws: `DatasetError` for data that cannot be read, `PackingError` or `FileError` for a file that cannot be written.
  package func write(
    to path: String, workers: WorkerPool, stopsAtDamage: Bool = true, progress: (Int) -> Void = { _ in }
  ) throws -> (training: [DamagedImage], test: [DamagedImage]) {
    let output = try OutputFile(path)
    try output.prepare()
    var isPublished = false
    defer { if !isPublished { output.discard() } }
    var done = 0
    func count(_ images: Int) {
      done += images
      progress(done)
    }
    do {
      let file = try HDF5File.create(output.temporaryPath)
      var ranges: [Range<Int>] = []
      let damaged = try write(training, "", to: file, workers, stopsAtDamage, &ranges, didPack: count)
      let damagedTests =
        try test.map { try write($0, "test/", to: file, workers, stopsAtDamage, &ranges, didPack: count) } ?? []
      guard damaged.isEmpty && damagedTests.isEmpty else { return (damaged, damagedTests) }
      try file.writeAttribute("name", name)
      if !training.classNames.isEmpty { try file.writeAttribute("class_names", training.classNames) }
      try file.writeAttribute("allows_flips", Int64(allowsFlips ? 1 : 0))
      try file.writeAttribute("format_version", Int64(2))
      try file.writeAttribute("complete", Int64(1))
      try file.close()
      try FileSeal.add(to: output.temporaryPath, contents: ranges)
    } catch let error as HDF5Error {
      throw PackingError(path: path, problem: "\(error.message) (\(error.call))")
    }
    try output.publish()
    isPublished = true
    return ([], [])
  }

  private func write(
    _ dataset: any ImageDataset, _ group: String, to file: borrowing HDF5File, _ workers: WorkerPool,
    _ stopsAtDamage: Bool, _ ranges: inout [Range<Int>], didPack: (Int) -> Void
  ) throws -> [DamagedImage] {
    let size = dataset.elementsPerImage
    let images = try file.createDataset("\(group)images", shape: [dataset.count] + dataset.imageShape, type: .uint8)
    let piece = min(max(Self.pieceSize / size, 4 * workers.threadCount), 4096)
    let bytes = ByteTensor(uninitialised: [min(piece, dataset.count)] + dataset.imageShape)
    var checksums: [UInt32] = []
    var damaged: [DamagedImage] = []
    for start in stride(from: 0, to: dataset.count, by: piece) {
      let range = start..<min(start + piece, dataset.count)
      let values = bytes[0..<range.count]
      damaged += try dataset.copyBytes(of: range, into: values, workers: workers)
      if stopsAtDamage, let first = damaged.first { throw first.error }
      // No file will be written once an image is damaged.
      if damaged.isEmpty {
        for offset in 0..<range.count { checksums.append(values[image: offset].withUnsafeBytes { crc32($0) }) }
        try images.write(flatRanges: [range.lowerBound * size..<range.upperBound * size], from: values)
      }
      didPack(range.count)
    }
    if let start = try images.contiguousOffset() { ranges.append(start..<start + images.count) }
    try images.close()
    guard damaged.isEmpty else { return damaged }
    let sums = try file.createDataset("\(group)crc32", shape: [dataset.count], type: .uint32)
    try sums.writeAll(checksums)
    try sums.close()
    if !dataset.classNames.isEmpty {
      let labels = try file.createDataset("\(group)labels", shape: [dataset.count], type: .int64)
      try labels.writeAll((0..<dataset.count).map { Int64(dataset.label(of: $0) ?? -1) })
      try labels.close()
    }
    return []
  }
}

/// A packed file that could not be written.
package struct PackingError: JobEndingError, Equatable, CustomStringConvertible {
  package let path: String
  package let problem: String

  package var exitStatus: ExitStatus { .failure }
  package var description: String { "\(path): \(problem)" }
}
