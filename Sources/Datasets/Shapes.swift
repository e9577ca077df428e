import Tensors

/// Images of simple shapes, drawn on demand: for tests and for machines without data.
///
/// Each image shows one bright shape with smooth edges on a dark background; shape, position, size and colours depend
/// only on the image's index and are the same on all machines.
package struct Shapes: ImageDataset {
  package let name = "shapes"
  package let count: Int
  package let imageShape: [Int]
  package let classNames = ["circle", "square", "triangle", "cross", "ring"]
  /// Mirrored images are already as likely as their originals, so flips would add nothing.
  package let allowsFlips = false
  package let fingerprint: UInt64

  /// The index of the first image in the sequence of all images.
  private let offset: Int

  private static let seed: UInt64 = 0x5348_4150_4553

  /// - Parameters:
  ///   - size: height and width in pixels; at least 8.
  ///   - channels: 1 or 3.
  ///   - split: test images are those after the first ten thousand.
  package init(count: Int = 10_000, size: Int = 32, channels: Int = 3, split: DatasetSplit = .training) {
    precondition(count > 0 && size >= 8 && (channels == 1 || channels == 3))
    self.count = count
    imageShape = [size, size, channels]
    offset = split == .training ? 0 : 10_000
    fingerprint = Fingerprint([count, size, channels] + (offset > 0 ? [offset] : [])).value
  }

  package func label(of index: Int) -> Int? {
    stream(index).integer(Word.shape, below: classNames.count)
  }

  package func copyBytes(of index: Int, into target: ByteTensor) {
    precondition((0..<count).contains(index), "there is no image \(index) among \(count)")
    let stream = stream(index)
    let shape = stream.integer(Word.shape, below: classNames.count)
    let (side, channels) = (width, self.channels)
    let size = Double(side)
    let radius = size * (0.15 + 0.2 * Double(stream.uniform(Word.radius)))
    let centreX = radius + (size - 2 * radius) * Double(stream.uniform(Word.x))
    let centreY = radius + (size - 2 * radius) * Double(stream.uniform(Word.y))
    let ground = (0..<channels).map { 80 * Double(stream.uniform(Word.ground + $0)) }
    let ink = (0..<channels).map { 130 + 125 * Double(stream.uniform(Word.ink + $0)) }
    for row in 0..<side {
      for column in 0..<side {
        let distance = Self.distance(
          toShape: shape, x: Double(column) + 0.5 - centreX, y: Double(row) + 0.5 - centreY, radius: radius)
        // The fraction of the pixel that the shape would cover if its edge were straight.
        let share = min(max(0.5 - distance, 0), 1)
        for channel in 0..<channels {
          let value = ground[channel] + share * (ink[channel] - ground[channel])
          target[(row * side + column) * channels + channel] = UInt8(value.rounded())
        }
      }
    }
  }

  /// The words of an image's random stream and what they determine.
  private enum Word {
    static let shape = 0
    static let radius = 1
    static let x = 2
    static let y = 3
    static let ground = 4
    static let ink = 8
  }

  private func stream(_ index: Int) -> RandomStream {
    RandomStream(seed: Self.seed, purpose: .proceduralImage, sample: offset + index)
  }

  /// The distance in pixels from a point to the edge of a shape about the origin; negative inside.
  private static func distance(toShape shape: Int, x: Double, y: Double, radius: Double) -> Double {
    let (across, along) = (abs(x), abs(y))
    switch shape {
    case 0:
      return (x * x + y * y).squareRoot() - radius
    case 1:
      return max(across, along) - 0.85 * radius
    case 2:
      // An equilateral triangle: each side is half the radius from the centre, with one corner at the top.
      return max(y, 3.0.squareRoot() / 2 * across - y / 2) - radius / 2
    case 3:
      return min(max(across - radius, along - radius / 3), max(across - radius / 3, along - radius))
    default:
      return abs((x * x + y * y).squareRoot() - 0.75 * radius) - 0.25 * radius
    }
  }
}
