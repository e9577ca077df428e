/// The order of the dimensions of an array of fields, as the program shows it that wrote the array: samples (N), rows
/// (H), columns (W) and channels or levels (C). An array of a single channel lacks C.
package enum FieldOrder: String, Sendable, CaseIterable {
  case nhwc, nchw
  /// The usual order in MATLAB.
  case hwcn

  /// The role of each axis of an array.
  /// - Parameter rank: its number of axes, 3 or 4.
  func roles(rank: Int) -> [FieldRole] {
    let all: [FieldRole] =
      switch self {
      case .nhwc: [.sample, .y, .x, .channel]
      case .nchw: [.sample, .channel, .y, .x]
      case .hwcn: [.y, .x, .channel, .sample]
      }
    return rank == 4 ? all : all.filter { $0 != .channel }
  }
}

/// The role of each axis of an array.
struct FieldAxes: Equatable {
  let sample: Int
  /// nil if there is a single channel.
  let channel: Int?
  let y: Int
  let x: Int

  /// - Parameters:
  ///   - shape: as stored in the file.
  ///   - order: what the user says; nil if the names of the dimensions decide.
  ///   - isReversed: whether the file stores the axes in the opposite order of the program that wrote it.
  ///   - dimensions: those that have names, as NetCDF's have: one for each axis, or none at all.
  ///   - subject: the array's name, for messages.
  /// - Throws: `DatasetError` if the roles are not known, or the shape is not one of fields.
  init(
    shape: [Int], _ order: FieldOrder?, isReversed: Bool = false, dimensions: [FieldDimension?] = [],
    _ subject: String, _ path: String
  ) throws(DatasetError) {
    let shown = isReversed ? Array(shape.reversed()) : shape
    let hasNames = dimensions.contains { $0 != nil }
    guard shape.count == 3 || shape.count == 4 else {
      throw DatasetError(
        .wrongDimensions, path, "\(subject) has the shape \(shown)",
        advice: "fields have the dimensions [time, y, x] or [time, level, y, x]; first select or add dimensions, or "
          + "choose other variables with --variables")
    }
    guard shape.count == 3 || order != nil || hasNames else {
      throw DatasetError(
        .wrongDimensions, path, "\(subject) has the shape \(shown), whose dimensions have no names",
        advice:
          "add --order nhwc if channels are last, --order nchw if they are second, or --order hwcn if samples are "
          + "last")
    }
    var roles = (order ?? .nchw).roles(rank: shape.count)
    if order == nil && hasNames {
      roles = try FieldDimensions(subject: subject, path: path, shape: shape, dimensions: dimensions).roles()
    }
    if isReversed { roles.reverse() }
    guard let sample = roles.firstIndex(of: .sample), let y = roles.firstIndex(of: .y),
      let x = roles.firstIndex(of: .x)
    else { preconditionFailure("fields have samples, rows and columns") }
    (self.sample, self.y, self.x) = (sample, y, x)
    channel = roles.firstIndex(of: .channel)
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

  /// The axes in the usual order: samples, levels, rows, columns.
  var inUsualOrder: [Int] { [sample] + (channel.map { [$0] } ?? []) + [y, x] }

  func channelCount(_ shape: [Int]) -> Int { channel.map { shape[$0] } ?? 1 }
}
