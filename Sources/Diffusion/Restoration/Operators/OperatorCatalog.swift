/// The measurement operators, with the names used by `--operator`.
package enum OperatorName: String, Sendable, CaseIterable {
  case mask
  case coarse
  case grey
  case blur
  case channels

  /// As it is written: `mask`, `coarse=K`, ….
  package var usage: String {
    switch self {
    case .mask, .grey: rawValue
    case .coarse: "coarse=K"
    case .blur: "blur=S"
    case .channels: "channels=NAMES"
    }
  }

  /// A one-line description for users.
  package var summary: String {
    switch self {
    case .mask: "the known pixels; all others are drawn"
    case .coarse: "the mean of each block of K x K pixels"
    case .grey: "the mean of the channels"
    case .blur: "a Gaussian blur with a standard deviation of S pixels"
    case .channels: "some of the channels, separated by commas"
    }
  }
}

/// A measurement operator as written by users, before the images' shape is known.
package struct OperatorSettings: Sendable, Equatable {
  package let name: OperatorName
  /// The text after `=`.
  package let argument: String?

  /// - Parameter text: such as `coarse=4`.
  /// - Throws: `DiffusionError` naming `operator`.
  package init(_ text: String) throws(DiffusionError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let name = OperatorName(rawValue: String(first)) else {
      throw DiffusionError(key: "operator", problem: "\(text) is unknown; give one of \(Self.usages)")
    }
    self.name = name
    argument = parts.count > 1 ? String(parts[1]) : nil
    try require(
      (argument != nil) == name.usage.contains("="), "operator",
      "\(text) is incomplete or too long; write \(name.usage)"
    )
  }

  /// As it is written.
  package var text: String { name.rawValue + (argument.map { "=\($0)" } ?? "") }

  private static var usages: String { OperatorName.allCases.map(\.usage).joined(separator: ", ") }

  /// What an operator needs besides its own text.
  package struct Context: Sendable {
    /// [H, W, C].
    package var imageShape: [Int]
    /// The channels' names, which `channels` accepts as well as their numbers.
    package var channelNames: [String] = []
    /// For `mask`, by element or by pixel.
    package var isKnown: [Bool]?
    /// For `blur`.
    package var vertical = BlurOperator.Border.reflecting
    package var horizontal = BlurOperator.Border.reflecting

    package init(imageShape: [Int]) { self.imageShape = imageShape }
  }

  /// - Throws: `DiffusionError` naming `operator` or `mask` if the operator does not fit the images.
  package func makeOperator(_ context: Context) throws(DiffusionError) -> any MeasurementOperator {
    let shape = context.imageShape
    switch name {
    case .mask:
      guard let isKnown = context.isKnown else {
        throw DiffusionError(key: "mask", problem: "operator mask needs a mask; give --mask FILE")
      }
      return try MaskOperator(isKnown: isKnown, imageShape: shape)
    case .coarse: return try CoarseOperator(factor: try number(Int.init), imageShape: shape)
    case .grey: return try GreyOperator(imageShape: shape)
    case .blur:
      return try BlurOperator(
        sigma: try number(Double.init), imageShape: shape, vertical: context.vertical,
        horizontal: context.horizontal)
    case .channels:
      let names = (argument ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      var channels: [Int] = []
      for name in names {
        guard let channel = context.channelNames.firstIndex(of: name) ?? Int(name) else {
          let known = context.channelNames.joined(separator: ", ")
          throw DiffusionError(
            key: "operator",
            problem: "there is no channel \(name); give \(known.isEmpty ? "numbers from 0" : "some of \(known)")")
        }
        channels.append(channel)
      }
      return try ChannelsOperator(channels: channels, imageShape: shape)
    }
  }

  private func number<Number>(_ parse: (String) -> Number?) throws(DiffusionError) -> Number {
    guard let number = parse(argument ?? "") else {
      throw DiffusionError(key: "operator", problem: "\(argument ?? "") is not a number; write \(name.usage)")
    }
    return number
  }
}
