import Checkpoints
import Foundation
import Tensors
import Testing

let testHeader = CheckpointHeader(
  kind: .classifier, classCount: 7,
  step: 1234, images: 78976, imageShape: [28, 20, 3], configuration: "seed: 3\ndata:\n  name: größer\n",
  dataFingerprint: "5eed", fields: "{\"variables\":[\"größe\"]}")

let testGroupPaths = ["model", "ema/0.9999", "optimizer/first_moment", "optimizer/second_moment"]

let testTensorNames = ["conv_in.weight", "time.linear.weight", "norm.bias"]

/// The groups of a checkpoint, each with random numbers.
struct TestArenas {
  let layout: ParameterLayout
  let arenas: [Arena]

  init(seed: UInt64) {
    var layout = ParameterLayout()
    _ = layout.add("conv_in.weight", shape: [3, 3, 3, 20], order: .hwio)
    _ = layout.add("time.linear.weight", shape: [20, 7], order: .io)
    _ = layout.add("norm.bias", shape: [20], order: .c)
    self.layout = layout
    arenas = testGroupPaths.indices.map { index in
      let arena = Arena(layout)
      for (tensor, entry) in layout.entries.enumerated() {
        RandomStream(seed: seed, purpose: .noise, sample: index, detail: tensor)
          .fillNormal(arena.tensor(entry))
      }
      return arena
    }
  }

  var groups: [TensorGroup] {
    zip(testGroupPaths, arenas).map {
      TensorGroup(path: $0, layout: layout, ranges: [0..<$1.count], values: $1.buffer)
    }
  }

  /// The bits of all tensors of all groups.
  var bits: [[UInt32]] {
    arenas.flatMap { arena in layout.entries.map { arena.tensor($0).elements.map(\.bitPattern) } }
  }

  func bytes(of tensor: String, in group: String) -> [UInt8] {
    let arena = arenas[testGroupPaths.firstIndex(of: group)!]
    return arena.tensor(layout[tensor]!).elements.withUnsafeBytes { Array($0) }
  }
}

/// Flips the last bit of the last byte of `bytes` in a file, in which they must occur exactly once.
func flipLastBit(of bytes: [UInt8], inFile path: String) throws {
  var data = try Data(contentsOf: URL(fileURLWithPath: path))
  let range = try #require(data.range(of: Data(bytes)))
  #expect(data.range(of: Data(bytes), in: range.lowerBound + 1..<data.count) == nil)
  data[range.upperBound - 1] ^= 1
  try data.write(to: URL(fileURLWithPath: path))
}
