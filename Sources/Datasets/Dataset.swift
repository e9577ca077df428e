import Tensors

/// Samples of one shape, on which a network is trained, numbered from 0: images, or fields of other quantities.
///
/// The last channels of a sample may be conditions: they are given to the network, which learns to draw the others.
package protocol Dataset: Sendable {
  /// The data set's name, such as `fashion-mnist`.
  var name: String { get }
  /// The number of samples.
  var count: Int { get }
  /// The shape of a sample with its conditions, [H, W, C].
  var imageShape: [Int] { get }
  /// How many of the channels, the last ones, are given to the network; the others are drawn.
  var conditionChannels: Int { get }
  /// What the channels are, for fields; nil for images.
  var fields: FieldDescription? { get }
  /// The data set itself as images, without added conditions; nil for fields.
  var images: (any ImageDataset)? { get }
  /// The names of the classes, in the order of labels.
  var classNames: [String] { get }
  /// Whether mirrored samples (left and right swapped) would be valid samples of this data set.
  var allowsFlips: Bool { get }
  /// A hash of contents and geometry, or of a substitute for the contents; ranks compare it to make sure that they have
  /// the same data.
  var fingerprint: UInt64 { get }
  /// A hash that changes whenever the contents may have changed: the fingerprint if it covers the contents, otherwise
  /// combined with the files' modification times.
  var contentMark: UInt64 { get }
  /// Whether samples are read from files each time, which may be slow and may fail; otherwise they are in memory.
  var readsFiles: Bool { get }
  /// Which of its files were left out, for a summary.
  var remarks: [String] { get }

  /// The class of a sample, an index in `classNames`; nil if the data set has no classes.
  func label(of index: Int) -> Int?

  /// Overwrites one sample of `target`, [N, H, W, C], with a sample's values as the network takes them. Several threads
  /// may call it at once.
  /// - Parameters:
  ///   - position: which of the N samples.
  ///   - flipped: whether left and right are swapped.
  /// - Throws: `DatasetError` if it cannot be read; never if the samples are in memory.
  func copyValues(of index: Int, into target: Tensor, at position: Int, flipped: Bool) throws
}

extension Dataset {
  package var conditionChannels: Int { 0 }
  package var fields: FieldDescription? { nil }
  package var images: (any ImageDataset)? { nil }
  package var readsFiles: Bool { false }
  package var contentMark: UInt64 { fingerprint }
  package var remarks: [String] { [] }

  package var height: Int { imageShape[0] }
  package var width: Int { imageShape[1] }
  package var channels: Int { imageShape[2] }

  /// The shape of what is drawn, [H, W, C] without the conditions.
  package var drawnShape: [Int] { [height, width, channels - conditionChannels] }

  /// H · W · C.
  package var elementsPerImage: Int { imageShape.reduce(1, *) }
}
