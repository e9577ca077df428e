import Images
import Tensors

/// The images of another data set, resized to squares of one size (`Image.square`), or converted to grey or colour.
package struct FittedImages: ImageDataset {
  private let base: any ImageDataset
  private let side: Int?
  package let imageShape: [Int]

  /// - Parameters:
  ///   - side: the side of the squares; nil keeps the sizes.
  ///   - channels: 1 converts colour images to grey, 3 converts grey images to colour.
  package init(_ base: any ImageDataset, side: Int?, channels: Int) {
    self.base = base
    self.side = side
    imageShape = [side ?? base.height, side ?? base.width, channels]
  }

  package var name: String { base.name }
  package var count: Int { base.count }
  package var classNames: [String] { base.classNames }
  package var allowsFlips: Bool { base.allowsFlips }
  package var readsFiles: Bool { base.readsFiles }

  package var contentMark: UInt64 { Fingerprint.of([fingerprint, base.contentMark]) }

  package var fingerprint: UInt64 { Fingerprint.of([base.fingerprint] + imageShape.map { UInt64($0) }) }

  package func label(of index: Int) -> Int? { base.label(of: index) }

  package func copyBytes(of index: Int, into target: ByteTensor) throws {
    fit(try base.bytes(of: index), into: target)
  }

  package func copyBytes(
    of images: Range<Int>, into target: ByteTensor, workers: WorkerPool
  ) throws -> [DamagedImage] {
    let originals = ByteTensor(uninitialised: [images.count] + base.imageShape)
    let damaged = try base.copyBytes(of: images, into: originals, workers: workers)
    let unusable = Set(damaged.map(\.index))
    workers.forEach(images.count) { offset in
      guard !unusable.contains(images.lowerBound + offset) else { return }
      fit(originals[image: offset], into: target[image: offset])
    }
    return damaged
  }

  private func fit(_ bytes: ByteTensor, into target: ByteTensor) {
    let image = Image(width: base.width, height: base.height, channels: base.channels, pixels: bytes.elements)
    target.copy(image.fitted(side: side, channels: channels).pixels)
  }
}

/// The concatenation of several data sets with the same classes.
package struct JoinedImages: ImageDataset {
  private let parts: [any ImageDataset]
  /// The index of the first image of each part, and the total count.
  private let starts: [Int]
  /// The mapping of each part's labels.
  private let labels: [[Int]]
  package let classNames: [String]
  package let allowsFlips: Bool
  package let fingerprint: UInt64

  /// - Parameters:
  ///   - parts: data sets of the same shape, either all with classes or all without.
  ///   - names: the classes of the result; nil for those of the parts.
  /// - Returns: nil if a part has another class, or only some parts have classes.
  package init?(_ parts: [any ImageDataset], classNames names: [String]? = nil) {
    precondition(!parts.isEmpty && parts.allSatisfy { $0.imageShape == parts[0].imageShape }, "the shapes differ")
    let lists = parts.map(\.classNames)
    let names = names ?? ClassNames.union(lists)
    let labels = lists.map { ClassNames.indices(of: $0, in: names) }
    guard lists.allSatisfy({ $0.isEmpty == names.isEmpty }), !labels.joined().contains(nil) else { return nil }
    self.parts = parts
    self.labels = labels.map { $0.compactMap(\.self) }
    starts = parts.reduce(into: [0]) { $0.append($0.last! + $1.count) }
    classNames = names
    allowsFlips = parts.allSatisfy(\.allowsFlips)
    var fingerprint = Fingerprint()
    for part in parts { fingerprint.add(part.fingerprint) }
    for name in names { fingerprint.add(name) }
    self.fingerprint = fingerprint.value
  }

  package var name: String { parts[0].name }
  package var count: Int { starts[parts.count] }
  package var imageShape: [Int] { parts[0].imageShape }
  package var contentMark: UInt64 { Fingerprint.of([fingerprint] + parts.map(\.contentMark)) }
  package var readsFiles: Bool { parts.contains(where: \.readsFiles) }

  package func label(of index: Int) -> Int? {
    let part = part(of: index)
    return parts[part].label(of: index - starts[part]).map { labels[part][$0] }
  }

  package func copyBytes(of index: Int, into target: ByteTensor) throws {
    let part = part(of: index)
    try parts[part].copyBytes(of: index - starts[part], into: target)
  }

  package func copyBytes(
    of images: Range<Int>, into target: ByteTensor, workers: WorkerPool
  ) throws -> [DamagedImage] {
    var damaged: [DamagedImage] = []
    for part in parts.indices {
      let own = images.clamped(to: starts[part]..<starts[part + 1])
      if own.isEmpty { continue }
      damaged += try parts[part].copyBytes(
        of: own.lowerBound - starts[part]..<own.upperBound - starts[part],
        into: target[own.lowerBound - images.lowerBound..<own.upperBound - images.lowerBound], workers: workers
      ).map { DamagedImage(index: $0.index + starts[part], error: $0.error) }
    }
    return damaged
  }

  private func part(of index: Int) -> Int {
    precondition((0..<count).contains(index), "there is no image \(index) among \(count)")
    return starts.lastIndex { $0 <= index }!
  }
}

/// A data set without some of its images.
package struct RemainingImages: ImageDataset {
  private let base: any ImageDataset
  private let indices: [Int]

  package init(_ base: any ImageDataset, without excluded: Set<Int>) {
    self.base = base
    indices = (0..<base.count).filter { !excluded.contains($0) }
  }

  package var name: String { base.name }
  package var count: Int { indices.count }
  package var imageShape: [Int] { base.imageShape }
  package var classNames: [String] { base.classNames }
  package var allowsFlips: Bool { base.allowsFlips }
  package var readsFiles: Bool { base.readsFiles }

  package var contentMark: UInt64 { Fingerprint.of([fingerprint, base.contentMark]) }

  package var fingerprint: UInt64 {
    var fingerprint = Fingerprint()
    fingerprint.add(base.fingerprint)
    fingerprint.add(indices)
    return fingerprint.value
  }

  package func label(of index: Int) -> Int? { base.label(of: indices[index]) }

  package func copyBytes(of index: Int, into target: ByteTensor) throws {
    try base.copyBytes(of: indices[index], into: target)
  }

  package func copyBytes(
    of images: Range<Int>, into target: ByteTensor, workers: WorkerPool
  ) throws -> [DamagedImage] {
    var damaged: [DamagedImage] = []
    var start = images.lowerBound
    while start < images.upperBound {
      // Images that are consecutive in the base are read together.
      var end = start + 1
      while end < images.upperBound && indices[end] == indices[end - 1] + 1 { end += 1 }
      let skipped = indices[start] - start
      damaged += try base.copyBytes(
        of: start + skipped..<end + skipped,
        into: target[start - images.lowerBound..<end - images.lowerBound], workers: workers
      ).map { DamagedImage(index: $0.index - skipped, error: $0.error) }
      start = end
    }
    return damaged
  }
}
