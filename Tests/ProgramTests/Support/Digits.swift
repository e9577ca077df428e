import Foundation

/// 16 images of one shade, in MNIST's format.
func writeDigits(_ folder: String, shade: UInt8) throws {
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  func bigEndian(_ numbers: [UInt32]) -> [UInt8] {
    numbers.flatMap { number in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }
  }
  let images = bigEndian([2051, 16, 28, 28]) + [UInt8](repeating: shade, count: 16 * 28 * 28)
  let labels = bigEndian([2049, 16]) + (0..<16).map { $0 < 10 ? $0 : 0 }
  try Data(images).write(to: URL(filePath: folder + "/train-images-idx3-ubyte"))
  try Data(labels).write(to: URL(filePath: folder + "/train-labels-idx1-ubyte"))
}
