import Foundation
import Images
import Interchange
import TestSupport
import Testing

/// Measurements, and a model of fields.
enum RestorationFixture {
  /// Files of measured images of 32 x 32 pixels, and masks.
  struct Pictures: Sendable {
    let folder: String
    /// Two coloured images.
    var images: String { folder + "/images" }
    var first: String { images + "/0.png" }
    /// The first one in grey.
    var grey: String { folder + "/grey.png" }
    /// Smaller than a model's images.
    var small: String { folder + "/small.png" }
    /// The left half is known.
    var left: String { folder + "/left.png" }
    /// Neither white nor black.
    var vague: String { folder + "/vague.png" }
    /// Half of its pixels are transparent.
    var transparent: String { folder + "/transparent.png" }
    /// The beginning of a file.
    var truncated: String { folder + "/truncated.png" }
    /// A file without a byte.
    var empty: String { folder + "/empty.png" }

    static let side = 32

    /// The bytes of an image, [32, 32, 3].
    static func bytes(_ image: Int) -> [UInt8] {
      (0..<side * side * 3).map { UInt8(($0 * 7 + image * 31 + $0 / 96 * 5) % 256) }
    }

    static func isLeft(_ pixel: Int) -> Bool { pixel % side < side / 2 }
  }

  static let pictures = Task {
    let pictures = Pictures(folder: Fixture.root.path("restoration"))
    try FileManager.default.createDirectory(atPath: pictures.images, withIntermediateDirectories: true)
    let side = Pictures.side
    func write(_ pixels: [UInt8], _ path: String, side: Int = side, channels: Int = 1) throws {
      try PNG.write(Image(width: side, height: side, channels: channels, pixels: pixels), to: path)
    }
    for image in 0..<2 {
      try write(Pictures.bytes(image), pictures.images + "/\(image).png", channels: 3)
    }
    let pixels = Array(0..<side * side)
    try write(pixels.map { UInt8($0 % 251) }, pictures.grey)
    try write([UInt8](repeating: 9, count: 16 * 16 * 3), pictures.small, side: 16, channels: 3)
    try write(pixels.map { Pictures.isLeft($0) ? 255 : 0 }, pictures.left)
    try write(pixels.map { Pictures.isLeft($0) ? 255 : 13 }, pictures.vague)
    let opacity = pixels.map { Pictures.isLeft($0) ? 255 : UInt8(0) }
    try write(opacity.flatMap { [9, 9, 9, $0] }, pictures.transparent, channels: 4)
    let whole = try Data(contentsOf: URL(filePath: pictures.first))
    try whole.prefix(whole.count / 2).write(to: URL(filePath: pictures.truncated))
    try Data().write(to: URL(filePath: pictures.empty))
    return pictures
  }

  /// A model of the variables u and v, and files of such fields.
  struct Fields: Sendable {
    let folder: String
    var model: String { folder + "/run" }
    /// Two fields with missing values, at the same points of both variables.
    var gaps: String { folder + "/gaps.npz" }
    /// The same, packed with masks.
    var packedGaps: String { folder + "/packed-gaps.h5" }
    /// The same without gaps, and a variable `seen` that is 0 where they were.
    var marked: String { folder + "/marked.npz" }
    /// Two fields with gaps and the variable `seen`; of the second nothing is known.
    var blank: String { folder + "/blank.npz" }
    /// u and v with two levels each.
    var levels: String { folder + "/levels.npz" }
    /// u alone.
    var partial: String { folder + "/partial.npz" }
    /// Two fields of u and v, without names.
    var array: String { folder + "/array.npy" }

    static let side = 16
    static var size: Int { side * side }

    /// The values of u or v of a field, [16, 16]. u has another mean and another standard deviation than v.
    static func values(_ variable: String, _ field: Int) -> [Double] {
      let isU = variable == "u"
      return (0..<size).map { point in
        let angle = 2 * Double.pi * Double(point % side + 3 * field) / Double(side)
        let number = sin(angle) + Double(point / side % 4) / 4
        return isU ? 300 + 8 * number : number / 2
      }
    }

    static func isSeen(_ point: Int) -> Bool { point % 3 == 0 }
  }

  static let fields = Task {
    let fields = Fields(folder: Fixture.root.path("restored-fields"))
    try FileManager.default.createDirectory(atPath: fields.folder, withIntermediateDirectories: true)
    func write(_ path: String, _ count: Int, _ arrays: [(name: String, value: (String, Int, Int) -> Double)]) throws {
      let contents = try NumpyArchive.contents(
        of: arrays.map { name, value in
          let values = (0..<count).flatMap { field in (0..<Fields.size).map { value(name, field, $0) } }
          return .init(name, shape: [count, Fields.side, Fields.side], values)
        }, path: path)
      try contents.write(to: URL(filePath: path))
    }
    func value(_ name: String, _ field: Int, _ point: Int) -> Double { Fields.values(name, field)[point] }
    func known(_ name: String, _ field: Int, _ point: Int) -> Double {
      Fields.isSeen(point) ? value(name, field, point) : .nan
    }
    func seen(_: String, _: Int, _ point: Int) -> Double { Fields.isSeen(point) ? 1 : 0 }
    let (all, packed) = (fields.folder + "/all.npz", fields.folder + "/packed.h5")
    try write(all, 8, [("u", value), ("v", value)])
    try write(fields.gaps, 2, [("u", known), ("v", known)])
    try write(fields.marked, 2, [("u", value), ("v", value), ("seen", seen)])
    func onlyFirst(_ name: String, _ field: Int, _ point: Int) -> Double {
      field == 0 ? known(name, field, point) : .nan
    }
    func seenFirst(_ name: String, _ field: Int, _ point: Int) -> Double { field == 0 ? seen(name, field, point) : 0 }
    try write(fields.blank, 2, [("u", onlyFirst), ("v", onlyFirst), ("seen", seenFirst)])
    try write(fields.partial, 2, [("u", value)])
    let levels = (0..<2 * Fields.size * 2).map { Double($0) }
    try NumpyArchive.contents(
      of: ["u", "v"].map { .init($0, shape: [2, Fields.side, Fields.side, 2], levels) }, path: fields.levels
    ).write(to: URL(filePath: fields.levels))
    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, \(Fields.side), \(Fields.side), 2), }"
    // The header's size, with its end of line, in two bytes.
    var array = Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0])
    array += Data((header + String(repeating: " ", count: 117 - header.count) + "\n").utf8)
    for field in 0..<2 {
      for pair in zip(Fields.values("u", field), Fields.values("v", field)) {
        for number in [pair.0, pair.1] {
          withUnsafeBytes(of: number.bitPattern.littleEndian) { array.append(contentsOf: $0) }
        }
      }
    }
    try array.write(to: URL(filePath: fields.array))
    for words in [
      "pack \(all) --output \(packed)", "pack \(fields.gaps) --missing mask --output \(fields.packedGaps)",
      """
      train \(Fixture.tiny) --set training.steps=2 --set data.name=hdf5 --set data.path=\(packed)
      --set model.attention_resolutions=[] --output \(fields.model)
      """,
    ] as [Words] {
      let run = try await ddpm(words)
      guard run.status == 0 else { throw CommandFailure(run: run) }
    }
    return fields
  }
}
