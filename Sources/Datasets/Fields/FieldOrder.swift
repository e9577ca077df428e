/// The order of the dimensions of an array of fields, as the program shows it that wrote the array: samples (N), rows
/// (H), columns (W) and channels or levels (C). An array of a single channel lacks C.
package enum FieldOrder: String, Sendable, CaseIterable {
  case nhwc, nchw
  /// The usual order in MATLAB.
  case hwcn
}

/// The role of each axis of an array.
struct FieldAxes: Equatable {
  var sample: Int
  /// nil if there is a single channel.
  var channel: Int?
  var y: Int
  var x: Int

  /// - Parameters:
  ///   - shape: as stored in the file.
  ///   - isReversed: whether the file stores the axes in the opposite order of the program that wrote it.
  ///   - hasNames: whether its dimensions are named, as NetCDF's are: samples, levels, rows, columns.
  ///   - subject: the array's name, for messages.
  /// - Throws: `DatasetError` if the roles are not known, or the shape is not one of fields.
  init(
    shape: [Int], _ order: FieldOrder?, isReversed: Bool = false, hasNames: Bool = false, _ subject: String,
    _ path: String
  ) throws(DatasetError) {
    let shown = isReversed ? Array(shape.reversed()) : shape
    guard shape.count == 3 || shape.count == 4 else {
      throw DatasetError(
        .wrongDimensions, path, "\(subject) has the shape \(shown)",
        advice: "fields have the dimensions [time, y, x] or [time, level, y, x]; select or add dimensions before, or "
          + "choose other variables with --variables")
    }
    guard shape.count == 3 || order != nil || hasNames else {
      throw DatasetError(
        .wrongDimensions, path, "\(subject) has the shape \(shown), whose dimensions have no names",
        advice:
          "add --order nhwc if channels are last, --order nchw if they are second, or --order hwcn if samples are "
          + "last")
    }
    let isSingle = shape.count == 3
    switch order ?? (isSingle ? .nhwc : .nchw) {
    case .nhwc: (sample, y, x, channel) = (0, 1, 2, isSingle ? nil : 3)
    case .nchw where isSingle: (sample, y, x, channel) = (0, 1, 2, nil)
    case .nchw: (sample, channel, y, x) = (0, 1, 2, 3)
    case .hwcn: (y, x, sample, channel) = (0, 1, isSingle ? 2 : 3, isSingle ? nil : 2)
    }
    if isReversed {
      let last = shape.count - 1
      (sample, y, x, channel) = (last - sample, last - y, last - x, channel.map { last - $0 })
    }
    let limit = Self.lengthLimit
    guard shape.allSatisfy({ $0 > 0 }), shape[y] <= limit, shape[x] <= limit, channelCount(shape) <= limit else {
      throw DatasetError(
        .wrongDimensions, path, "\(subject) has the shape \(shown)",
        advice: "there must be at least one sample, and at most \(limit) rows, columns and levels")
    }
  }

  /// The maximum number of rows, of columns and of channels.
  static let lengthLimit = 1 << 16

  /// [samples, H, W].
  func gridShape(_ shape: [Int]) -> [Int] { [sample, y, x].map { shape[$0] } }

  func channelCount(_ shape: [Int]) -> Int { channel.map { shape[$0] } ?? 1 }
}
