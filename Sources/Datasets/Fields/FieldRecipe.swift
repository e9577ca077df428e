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

  /// The rows and columns of a source's grid that are packed.
  /// - Throws: `DatasetError` if the grid does not fit the recipe.
  package func frame(height: Int, width: Int) throws(DatasetError) -> FieldFrame {
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
    return FieldFrame(height: height, width: width, newHeight: size.height, newWidth: size.width)
  }

  private static func multiples(_ size: Size, of side: Int, up: Bool) -> String {
    func multiple(_ length: Int) -> Int { (length + (up ? side - 1 : 0)) / side * side }
    return "\(multiple(size.height))x\(multiple(size.width))"
  }
}

/// A recipe applied to a source's channels.
struct FieldPreparation {
  let frame: FieldFrame
  /// The channels of the source for which there is a mask.
  let masked: [Int]
  /// The side of the blocks, if their means are added.
  let coarse: Int?
  /// By channel of the source, what stands for its missing values.
  let fillings: [Float]

  private var sourceCount: Int { fillings.count }

  /// The source's channels, then masks, then block means.
  func channels(_ source: [FieldChannel]) -> [FieldChannel] {
    let masks = masked.map {
      FieldChannel(name: source[$0].name + "_mask", units: "1", longName: "1 where \(source[$0].name) is present")
    }
    let means = (coarse == nil ? [] : source).map {
      FieldChannel(name: $0.name + "_coarse", units: $0.units, longName: $0.longName)
    }
    return source + masks + means
  }

  /// The statistics of each of a source's channels within the frame.
  /// - Parameter sample: [H, W, C] of the source.
  func survey(_ sample: Tensor) -> [FieldStatistics] {
    (0..<sourceCount).map { channel in
      FieldStatistics(count: frame.height * frame.width) { sample[source($0, sample, channel)] }
    }
  }

  /// The index in a sample of the source of the position `index` of the frame.
  private func source(_ index: Int, _ sample: Tensor, _ channel: Int) -> Int {
    let (row, column) = index.quotientAndRemainder(dividingBy: frame.width)
    return (frame.rows[row] * sample.shape[1] + frame.columns[column]) * sourceCount + channel
  }

  /// Overwrites `target`, [H, W, C] of the result.
  /// - Parameter sample: [H, W, C] of the source.
  func apply(to sample: Tensor, _ target: Tensor) {
    let channelCount = target.shape[2]
    for channel in 0..<sourceCount {
      for index in 0..<frame.height * frame.width {
        let value = sample[source(index, sample, channel)]
        target[index * channelCount + channel] = value.isFinite ? value : fillings[channel]
      }
    }
    for (number, channel) in masked.enumerated() {
      for index in 0..<frame.height * frame.width {
        target[index * channelCount + sourceCount + number] = sample[source(index, sample, channel)].isFinite ? 1 : 0
      }
    }
    guard let coarse else { return }
    for channel in 0..<sourceCount {
      for row in stride(from: 0, to: frame.height, by: coarse) {
        for column in stride(from: 0, to: frame.width, by: coarse) {
          let block = (row..<row + coarse).flatMap { row in
            (column..<column + coarse).map { row * frame.width + $0 }
          }
          let statistics = FieldStatistics(count: block.count) { sample[source(block[$0], sample, channel)] }
          let mean = statistics.count > 0 ? Float(statistics.mean) : fillings[channel]
          for index in block { target[index * channelCount + sourceCount + masked.count + channel] = mean }
        }
      }
    }
  }
}
