import Tensors

/// How the channels of a packed file are made from a source's.
package struct FieldRecipe: Sendable, Equatable {
  /// What to do about missing values.
  package enum Missing: String, Sendable, CaseIterable {
    case refuse
    /// They get the channel's mean, and a channel is added that is 1 where a value is present and 0 elsewhere.
    case mask
  }

  /// A height and a width.
  package struct Size: Sendable, Equatable {
    package var height: Int
    package var width: Int

    package init(height: Int, width: Int) {
      self.height = height
      self.width = width
    }
  }

  package var missing = Missing.refuse
  /// The size of the centre that is kept.
  package var crop: Size?
  /// The size to which the border is repeated.
  package var pad: Size?
  /// The side of the blocks whose means are added as further channels.
  package var coarse: Int?

  package init() {}

  /// The size of the result for a source's grid.
  /// - Throws: `DatasetError` if the grid does not fit the recipe.
  package func size(height: Int, width: Int) throws(DatasetError) -> Size {
    if let crop, crop.height > height || crop.width > width {
      throw DatasetError(
        .wrongDimensions, "--crop", "\(crop.height)x\(crop.width) is larger than the fields, \(height)x\(width)",
        advice: "choose a smaller size, or use --pad")
    }
    if let pad, pad.height < height || pad.width < width {
      throw DatasetError(
        .wrongDimensions, "--pad", "\(pad.height)x\(pad.width) is smaller than the fields, \(height)x\(width)",
        advice: "choose a larger size, or use --crop")
    }
    let size = crop ?? pad ?? Size(height: height, width: width)
    if let coarse, !size.height.isMultiple(of: coarse) || !size.width.isMultiple(of: coarse) {
      let (cropped, padded) = (Self.multiples(size, of: coarse, up: false), Self.multiples(size, of: coarse, up: true))
      throw DatasetError(
        .wrongDimensions, "--coarse",
        "\(size.height)x\(size.width) cannot be divided into blocks of \(coarse)x\(coarse)",
        advice: "add --pad \(padded)"
          + (cropped.hasPrefix("0x") || cropped.hasSuffix("x0") ? "" : " or --crop \(cropped)"))
    }
    return size
  }

  /// The rows and columns of a source's grid that are packed.
  /// - Throws: `DatasetError` if the grid does not fit the recipe.
  package func frame(height: Int, width: Int) throws(DatasetError) -> FieldFrame {
    let result = try size(height: height, width: width)
    return FieldFrame(height: height, width: width, newHeight: result.height, newWidth: result.width)
  }

  /// The bytes that packing holds at least for a grid of a source: one of its samples, the same sample of the result,
  /// and where each point of it comes from. In double precision, since sizes that users and files state may be anything.
  /// - Parameters:
  ///   - size: of the result.
  ///   - channels: the number of the source's.
  func memory(height: Int, width: Int, size: Size, channels: Int) -> Double {
    let points = Double(size.height) * Double(size.width)
    // Masks are added only where values are missing.
    let channels = Double(channels)
    let newChannels = coarse == nil ? channels : 2 * channels
    let values = Double(height) * Double(width) * channels + points * newChannels
    return values * Double(MemoryLayout<Float>.stride) + points * Double(MemoryLayout<Int>.stride)
  }

  private static func multiples(_ size: Size, of side: Int, up: Bool) -> String {
    func multiple(_ length: Int) -> Int { (length + (up ? side - 1 : 0)) / side * side }
    return "\(multiple(size.height))x\(multiple(size.width))"
  }
}

/// A recipe applied to a source's channels.
struct FieldPreparation {
  let frame: FieldFrame
  /// The frame's positions.
  let positions: [Int]
  /// The channels of the source for which there is a mask.
  let masked: [Int]
  /// The side of the blocks, if their means are added.
  let coarse: Int?
  /// By channel of the source, what stands for its missing values.
  let fillings: [Float]

  private var sourceCount: Int { fillings.count }

  /// The source's channels, then masks, then block means.
  func channels(_ source: [FieldChannel]) -> [FieldChannel] {
    let masks = masked.map { FieldChannel.mask(of: source[$0].name) }
    let means = (coarse == nil ? [] : source).map {
      FieldChannel(name: $0.name + "_coarse", units: $0.units, longName: $0.longName)
    }
    return source + masks + means
  }

  /// The statistics of each of a source's channels within the frame.
  /// - Parameter sample: [H, W, C] of the source.
  func survey(_ sample: Tensor) -> [FieldStatistics] {
    let count = sourceCount
    return (0..<count).map { channel in
      FieldStatistics(count: positions.count) { sample[positions[$0] * count + channel] }
    }
  }

  /// Overwrites `target`, [H, W, C] of the result.
  /// - Parameter sample: [H, W, C] of the source.
  func apply(to sample: Tensor, _ target: Tensor) {
    let channelCount = target.shape[2]
    for (index, position) in positions.enumerated() {
      let (source, destination) = (position * sourceCount, index * channelCount)
      for channel in 0..<sourceCount {
        let value = sample[source + channel]
        target[destination + channel] = value.isFinite ? value : fillings[channel]
      }
      for (number, channel) in masked.enumerated() {
        target[destination + sourceCount + number] = sample[source + channel].isFinite ? 1 : 0
      }
    }
    guard let coarse else { return }
    for row in stride(from: 0, to: frame.height, by: coarse) {
      for column in stride(from: 0, to: frame.width, by: coarse) {
        for channel in 0..<sourceCount {
          fillBlock(of: coarse, row, column, channel, sample, target)
        }
      }
    }
  }

  /// Sets all values of a block of `target` to the mean of those that are present in the source.
  private func fillBlock(of side: Int, _ row: Int, _ column: Int, _ channel: Int, _ sample: Tensor, _ target: Tensor) {
    let (width, channelCount) = (frame.width, target.shape[2])
    func index(_ number: Int) -> Int { (row + number / side) * width + column + number % side }
    let statistics = FieldStatistics(count: side * side) { sample[positions[index($0)] * sourceCount + channel] }
    let mean = statistics.count > 0 ? Float(statistics.mean) : fillings[channel]
    for number in 0..<side * side {
      target[index(number) * channelCount + sourceCount + masked.count + channel] = mean
    }
  }
}
