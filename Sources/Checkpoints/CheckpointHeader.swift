/// The metadata of a checkpoint: the root attributes of its file.
package struct CheckpointHeader: Sendable, Equatable {
  /// The layout of checkpoint files that this program writes and reads.
  package static let formatVersion: Int64 = 2

  /// The kind of network.
  package enum Kind: String, Sendable {
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

  static let imageShapeAttributes = ["image_height", "image_width", "image_channels"]
}
