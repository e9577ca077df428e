import Foundation
import Interchange
import TestSupport
import Testing

/// Two variables u and v, and models of them.
enum PackedFieldFixture {
  static let count = 12

  /// The variables in NumPy's format, 32 x 32 points each.
  static let source = Task { () throws -> String in
    let path = Fixture.root.path("fields.npz")
    var random = TestRandom(state: 3)
    var arrays: [NumpyArchive.Array] = []
    for (name, offset) in [("u", 10.0), ("v", -3.0)] {
      var values: [Double] = []
      for _ in 0..<count * 32 * 32 { values.append(offset + Double.random(in: -1...1, using: &random)) }
      arrays.append(.init(name, shape: [count, 32, 32], values))
    }
    try NumpyArchive.contents(of: arrays, path: path).write(to: URL(filePath: path))
    return path
  }

  static let packed = Task { try await pack("fields.h5", "--variables u,v") }

  /// Packs the variables in another way.
  static func pack(_ name: String, _ words: Words) async throws -> String {
    let path = Fixture.root.path(name)
    try await ddpm("pack \(try await source.value) \(words) --output \(path)").succeeds(saying: "Packed")
    return path
  }

  /// A model of u and v.
  static let run = Task { try await train("field-run", "") }

  /// A model of u for given v, which is hidden at times.
  static let conditional = Task {
    try await train("conditional-field-run", "--set data.conditions=[v] --set training.condition_dropout=0.5")
  }

  /// With EDM's process, untrained networks already draw values of about the data's magnitude.
  private static func train(_ name: String, _ words: Words) async throws -> String {
    let path = Fixture.root.path(name)
    try await ddpm(
      """
      train \(Fixture.tiny) --set training.steps=2 --set training.sample_every=2
      --set diffusion.process=edm --set data.name=hdf5
      --set data.path=\(try await packed.value) \(words) --output \(path)
      """, ranks: 2
    ).succeeds(saying: "Done: 2 steps")
    return path
  }

  /// A model of the colours of images whose grey values are given.
  static let colours = Fixture("colours", "train \(Fixture.tiny) --set training.steps=2 --set data.conditions=[grey]")

  /// Three images, as files and in an HDF5 file.
  static let pictures = Task { () throws -> (folder: String, file: String) in
    let (folder, file) = (Fixture.root.path("pictures"), Fixture.root.path("pictures.h5"))
    try await ddpm(
      "sample --checkpoint \(try await Fixture.run.made) --steps 2 --count 3 --images \(folder) --output \(file)"
    ).succeeds(saying: "Wrote")
    return (folder, file)
  }
}
