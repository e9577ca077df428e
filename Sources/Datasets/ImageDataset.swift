/// Images of one size, with bytes 0 … 255 as their values, numbered from 0.
public protocol ImageDataset: Sendable {
  /// The name it is asked for by, such as `fashion-mnist`.
  var name: String { get }
  /// How many images there are.
  var count: Int { get }
  var height: Int { get }
  var width: Int { get }
  /// 1 for grey, 3 for red, green, blue.
  var channels: Int { get }
  /// The names of the classes, in the order of labels.
  var classNames: [String] { get }
  /// Whether a mirror image (left and right swapped) would be one of this data as well.
  var allowsFlips: Bool { get }
  /// A hash of contents and geometry; ranks compare it to be sure that they hold the same data.
  var fingerprint: UInt64 { get }

  /// The class of an image, a place in `classNames`; `nil` if the data has no classes.
  func label(of index: Int) -> Int?

  /// Writes the values of an image, [H, W, C].
  func copyBytes(of index: Int, into destination: UnsafeMutablePointer<UInt8>)
}

extension ImageDataset {
  /// [H, W, C].
  public var imageShape: [Int] { [height, width, channels] }

  /// H · W · C.
  public var elementsPerImage: Int { height * width * channels }

  /// Writes an image as floats in [−1, 1], value / 127.5 − 1, [H, W, C].
  /// - Parameter flipped: whether left and right are swapped.
  public func copyImage(_ index: Int, into destination: UnsafeMutablePointer<Float>, flipped: Bool) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: elementsPerImage) { bytes in
      guard let source = bytes.baseAddress else { return }
      copyBytes(of: index, into: source)
      for row in 0..<height {
        for column in 0..<width {
          let from = source + (row * width + (flipped ? width - 1 - column : column)) * channels
          let to = destination + (row * width + column) * channels
          for channel in 0..<channels { to[channel] = Float(from[channel]) / 127.5 - 1 }
        }
      }
    }
  }
}

/// A hash of bytes and numbers that does not depend on the machine: eight bytes at a time, multiplied and folded.
struct Fingerprint {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ word: UInt64) {
    value = (value ^ word) &* 0x9e37_79b9_7f4a_7c15
    value ^= value >> 32
  }

  mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }

  mutating func add(_ bytes: [UInt8]) {
    add(bytes.count)
    bytes.withUnsafeBytes { buffer in
      let wholeWords = buffer.count / 8
      for word in 0..<wholeWords {
        add(UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self)))
      }
      for index in wholeWords * 8..<buffer.count { add(UInt64(buffer[index])) }
    }
  }
}
