import Datasets
import Tensors
import Testing

@Suite struct ShapesTests {
  private func bytes(_ dataset: Shapes, _ index: Int) -> [UInt8] {
    let bytes = ByteTensor(uninitialised: dataset.imageShape)
    dataset.copyBytes(of: index, into: bytes)
    return bytes.elements
  }

  @Test(arguments: [1, 3])
  func everyImageShowsABrightShapeOnADarkBackground(channels: Int) {
    let dataset = Shapes(count: 200, size: 32, channels: channels)
    #expect(dataset.imageShape == [32, 32, channels])
    for index in 0..<dataset.count {
      let bytes = bytes(dataset, index)
      let red = stride(from: 0, to: bytes.count, by: channels).map { bytes[$0] }
      let bright = red.count { $0 > 105 }
      // Circle, square, triangle, cross and ring of a radius of 15 to 35 % of the side.
      #expect((10...450).contains(bright))
      #expect(red.count { $0 <= 80 } > 400)
      // Pixels on the edge are between the colours of the shape and the background.
      #expect(Set(red).count > 3)
    }
  }

  @Test func imagesAreReproducibleAndDistinct() {
    let dataset = Shapes(count: 50)
    #expect(bytes(dataset, 7) == bytes(Shapes(count: 100), 7))
    #expect(Set((0..<50).map { bytes(dataset, $0) }).count == 50)
  }

  @Test func allClassesAppear() {
    let dataset = Shapes(count: 500)
    var counts = [Int](repeating: 0, count: dataset.classNames.count)
    for index in 0..<dataset.count { counts[dataset.label(of: index)!] += 1 }
    // 100 each, give or take five standard deviations.
    #expect(counts.allSatisfy { (55...145).contains($0) })
  }

  @Test func areasOfShapesFollowTheirFormulas() {
    let dataset = Shapes(count: 100, size: 256, channels: 1)
    var seen: Set<Int> = []
    for index in 0..<dataset.count {
      let values = bytes(dataset, index).map(Double.init)
      let (ground, ink) = (values.min()!, values.max()!)
      let area = values.reduce(0) { $0 + ($1 - ground) / (ink - ground) }
      let middle = (ground + ink) / 2
      let rows = (0..<256).count { row in values[row * 256..<row * 256 + 256].contains { $0 > middle } }
      let label = dataset.label(of: index)!
      // The area of the shape relative to its squared height.
      let shares = [Double.pi / 4, 1, 1 / 3.0.squareRoot(), 5.0 / 9, Double.pi / 4 * 0.75]
      // A triangle's tip fades: its height, 57 pixels or more, may appear 2 smaller.
      #expect(abs(area / Double(rows * rows) / shares[label] - 1) < 0.08, "image \(index), class \(label)")
      seen.insert(label)
    }
    #expect(seen.count == 5)
  }

  @Test func fingerprintDependsOnTheGeometry() {
    let prints = [Shapes(), Shapes(count: 9), Shapes(size: 16), Shapes(channels: 1)].map(\.fingerprint)
    #expect(Set(prints).count == 4)
    #expect(Shapes().fingerprint == prints[0])
  }
}
