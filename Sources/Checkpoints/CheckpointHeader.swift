import HDF5

/// The metadata of a checkpoint: the root attributes of its file.
package struct CheckpointHeader: Codable, Sendable, Equatable {
  /// The layout of checkpoint files that this program writes and reads.
  package static let formatVersion: Int64 = 2

  /// The kind of network.
  package enum Kind: String, Codable, Sendable {
    /// It separates images from noise.
    case denoiser
    /// It classifies noisy images.
    case classifier
  }

  package var kind: Kind
  /// The number of classes, for a classifier.
  package var classCount: Int?
  /// Optimiser steps done.
  package var step: Int
  /// Images seen, repetitions included.
  package var images: Int
  /// The shape of what the network draws, [height, width, channels].
  package var imageShape: [Int]
  /// The run's configuration as YAML.
  package var configuration: String
  /// The fingerprint of the data set used for the last steps; nil in files of older programs.
  package var dataFingerprint: String?
  /// What the channels are, for fields, in JSON (`FieldDescription`); nil for images.
  package var fields: String?

  package init(
    kind: Kind = .denoiser, classCount: Int? = nil, step: Int, images: Int, imageShape: [Int], configuration: String,
    dataFingerprint: String? = nil, fields: String? = nil
  ) {
    self.kind = kind
    self.classCount = classCount
    self.step = step
    self.images = images
    self.imageShape = imageShape
    self.configuration = configuration
    self.dataFingerprint = dataFingerprint
    self.fields = fields
  }

  fileprivate static let imageShapeAttributes = ["image_height", "image_width", "image_channels"]

  func write(to file: borrowing HDF5File) throws(HDF5Error) {
    try file.writeAttribute("format_version", Self.formatVersion)
    try file.writeAttribute("kind", kind.rawValue)
    if let classCount { try file.writeAttribute("classes", Int64(classCount)) }
    try file.writeAttribute("step", Int64(step))
    try file.writeAttribute("images", Int64(images))
    for (name, value) in zip(Self.imageShapeAttributes, imageShape) { try file.writeAttribute(name, Int64(value)) }
    try file.writeAttribute("config", configuration)
    if let dataFingerprint { try file.writeAttribute("data_fingerprint", dataFingerprint) }
    // Of any length: the characters are stored outside of the attribute.
    if let fields { try file.writeAttribute("fields", fields) }
  }
}

extension Checkpoint {
  /// Reads the header of a finished checkpoint.
  /// - Throws: `CheckpointError` if the file was never finished or is of another format; `HDF5Error`.
  package static func readHeader(from file: borrowing HDF5File) throws -> CheckpointHeader {
    guard try file.attributeExists("format_version") else {
      throw CheckpointError(path: file.path, problem: "this is an HDF5 file, but not a checkpoint of ddpm-mpi")
    }
    let version = try file.readAttribute("format_version", as: Int64.self)
    guard version == CheckpointHeader.formatVersion else {
      throw CheckpointError(
        path: file.path,
        problem: "its format_version is \(version), but this program reads version \(CheckpointHeader.formatVersion)")
    }
    guard try file.attributeExists("complete"), try file.readAttribute("complete", as: Int64.self) == 1 else {
      throw CheckpointError(path: file.path, problem: "it is incomplete: writing it was interrupted")
    }
    let kind = try file.readAttribute("kind", as: String.self)
    guard let kind = CheckpointHeader.Kind(rawValue: kind) else {
      throw CheckpointError(path: file.path, problem: "it contains a \(kind), which this program does not support")
    }
    func number(_ name: String, _ range: ClosedRange<Int64>) throws -> Int {
      let value = try file.readAttribute(name, as: Int64.self)
      guard range.contains(value) else {
        throw CheckpointError(
          path: file.path,
          problem: "its \(name) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)")
      }
      return Int(value)
    }
    return CheckpointHeader(
      kind: kind,
      classCount: try file.attributeExists("classes") ? try number("classes", 1...1 << 24) : nil,
      step: try number("step", 0...1 << 53), images: try number("images", 0...1 << 53),
      imageShape: try CheckpointHeader.imageShapeAttributes.map { try number($0, 1...1 << 16) },
      configuration: try file.readAttribute("config", as: String.self),
      dataFingerprint: try file.attributeExists("data_fingerprint")
        ? try file.readAttribute("data_fingerprint", as: String.self) : nil,
      fields: try file.attributeExists("fields") ? try file.readAttribute("fields", as: String.self) : nil)
  }
}
