import Compression
import Datasets
import Foundation
import Images

@Sendable private func readImages(_ folder: String) throws {
  for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
    _ = try ImageReader().header(of: "\(folder)/\(name)")
    _ = try ImageReader().read("\(folder)/\(name)")
  }
}

let imageFormats = [
  Format(
    name: "png",
    example: {
      var files: [String: [UInt8]] = [:]
      for channels in [1, 3, 4] {
        let pixels = (0..<6 * 5 * channels).map { UInt8($0 * 7 % 256) }
        files["\(channels).png"] = try contents {
          try PNG.write(Image(width: 6, height: 5, channels: channels, pixels: pixels), to: $0)
        }
      }
      return Example(files)
    },
    repair: repairPNG, read: readImages),
  Format(
    name: "jpeg",
    example: {
      Example([
        "baseline.jpg": [UInt8](Data(base64Encoded: jpeg)!),
        "progressive.jpg": [UInt8](Data(base64Encoded: progressiveJPEG)!),
      ])
    },
    read: readImages),
]

/// Corrects the checksums of all chunks.
@Sendable private func repairPNG(_ bytes: inout [UInt8]) {
  var offset = 8
  while offset + 12 <= bytes.count {
    let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - offset - 12 else { return }
    let checksum = bytes[offset + 4..<offset + 8 + length].withUnsafeBytes { crc32($0) }
    bytes.replaceSubrange(offset + 8 + length..<offset + 12 + length, with: bigEndian(checksum))
    offset += 12 + length
  }
}

/// Created with Pillow: 16x12 pixels of all colours.
private let jpeg = """
  /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8yb\
  qmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wAARCAAM\
  ABADASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhBy\
  JxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKT\
  lJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAA\
  AAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRom\
  JygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExc\
  bHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDLitParkVn7VchjX0q9DEnpXIp8wYbEs//2Q==
  """
private let progressiveJPEG = """
  /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8yb\
  qmx5moq6T/2wBDARweHigjKE4rK06kbl1upKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKSkpKT/wgARCAAM\
  ABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAwT/xAAVAQEBAAAAAAAAAAAAAAAAAAAAA//aAAwDAQACEAMQAAABlZni/8QAFhABAQ\
  EAAAAAAAAAAAAAAAAAAQAC/9oACAEBAAEFAjMYggv/xAAVEQEBAAAAAAAAAAAAAAAAAAADAP/aAAgBAwEBPwE0v//EABURAQEAAAAAAAAAAAAA\
  AAAAABEA/9oACAECAQE/AVv/xAAUEAEAAAAAAAAAAAAAAAAAAAAg/9oACAEBAAY/Ah//xAAWEAEBAQAAAAAAAAAAAAAAAAAAARD/2gAIAQEAAT\
  8hxJJP/9oADAMBAAIAAwAAABAL/8QAFREBAQAAAAAAAAAAAAAAAAAAAAH/2gAIAQMBAT8Qu//EABURAQEAAAAAAAAAAAAAAAAAAAAB/9oACAEC\
  AQE/EIv/xAAWEAEBAQAAAAAAAAAAAAAAAAAAUWH/2gAIAQEAAT8QzZIEb//Z
  """
