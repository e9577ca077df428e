import Configuration
import Interchange
import Network

/// Converts our U-Net to the arguments of diffusers' `UNet2DModel`, and back.
struct UNetMapping: Equatable, Sendable {
  static let className = "UNet2DModel"

  /// The size of the images.
  var height: Int
  var width: Int
  var inputChannels: Int
  var outputChannels: Int
  /// The channels of each level, starting with the first.
  var levelChannels: [Int]
  var blocksPerLevel: Int
  /// Whether each level has attention.
  var attends: [Bool]
  /// The channels of each attention head; nil for a single head.
  var headChannels: Int?
  var timeConditioning: UNetArchitecture.TimeConditioning
  var dropout: Double
  var groupCount: Int
  /// The rows of the class embedding; nil for a network without classes.
  var classRowCount: Int?

  init(_ network: UNetConfiguration, dropout: Double) {
    height = network.imageHeight
    width = network.imageWidth
    inputChannels = network.imageChannels
    outputChannels = network.outputChannels
    levelChannels = network.multipliers.map { $0 * network.channels }
    blocksPerLevel = network.blocksPerLevel
    attends = network.multipliers.indices.map { network.attentionResolutions.contains(network.imageHeight >> $0) }
    timeConditioning = network.architecture.timeConditioning
    self.dropout = dropout
    groupCount = network.groupCount
    // The last row is for no class.
    classRowCount = network.classCount.map { $0 + 1 }
    let headCounts = attentionChannels.map { (channels: $0, heads: network.architecture.headCount(ofChannels: $0)) }
    if headCounts.contains(where: { $0.heads != 1 }) {
      // If they differ between levels, converting back gives a different network.
      headChannels = headCounts.map { $0.channels / $0.heads }.min()
    }
  }

  /// The channels of every level with attention; the middle, which always has attention, has those of the last level.
  private var attentionChannels: [Int] {
    let lowest = levelChannels[levelChannels.count - 1]
    return Set(zip(levelChannels, attends).filter(\.1).map(\.0) + [lowest]).sorted()
  }

  // MARK: To diffusers

  /// `unet/config.json`.
  var file: [String: JSONValue] {
    var values = Self.fixedKeys.mapValues { $0.needed[0] }
    values["_class_name"] = .text(Self.className)
    values["sample_size"] = height == width ? .integer(height) : .list([.integer(height), .integer(width)])
    values["in_channels"] = .integer(inputChannels)
    values["out_channels"] = .integer(outputChannels)
    values["block_out_channels"] = .list(levelChannels.map(JSONValue.integer))
    values["layers_per_block"] = .integer(blocksPerLevel)
    values["down_block_types"] = .list(attends.map { .text($0 ? "AttnDownBlock2D" : "DownBlock2D") })
    values["up_block_types"] = .list(attends.reversed().map { .text($0 ? "AttnUpBlock2D" : "UpBlock2D") })
    values["attention_head_dim"] = headChannels.map(JSONValue.integer) ?? .null
    values["resnet_time_scale_shift"] = Self.conditioningNames[timeConditioning].map(JSONValue.text)
    // By default, attention in the middle has a norm only if blocks add the time embedding.
    values["attn_norm_num_groups"] = timeConditioning == .add ? .null : .integer(groupCount)
    values["time_embedding_dim"] = .null
    values["dropout"] = .number(dropout)
    values["norm_num_groups"] = .integer(groupCount)
    values["num_class_embeds"] = classRowCount.map(JSONValue.integer) ?? .null
    return values
  }

  private static let conditioningNames: [UNetArchitecture.TimeConditioning: String] = [
    .add: "default", .scaleShift: "scale_shift",
  ]

  // MARK: From diffusers

  /// - Throws: `InterchangeError` naming the key that is not supported.
  init(_ file: ComponentFile) throws(InterchangeError) {
    guard file.className == Self.className else {
      throw file.refusal(
        "_class_name",
        "is \(file.values["_class_name"] ?? .null); only UNet2DModel can be imported, which is only conditioned on the "
          + "time and a class")
    }
    try Self.checkFixedKeys(file)
    levelChannels = try file.integers(
      "block_out_channels", default: .list([224, 448, 672, 896].map(JSONValue.integer)))
    guard let base = levelChannels.first, base > 0, levelChannels.allSatisfy({ $0 > 0 && $0.isMultiple(of: base) })
    else {
      throw file.refusal(
        "block_out_channels", "is \(levelChannels), but each level's channels must be a multiple of the first one's")
    }
    let size = file.value("sample_size", default: .null)
    switch (size.integer, size.list?.compactMap(\.integer)) {
    case (let side?, _): (height, width) = (side, side)
    case (_, let sides?) where sides.count == 2: (height, width) = (sides[0], sides[1])
    default:
      throw file.refusal(
        "sample_size", "is \(size), so the size of the network's images is unknown",
        advice: "add the images' height and width to the file: [height, width]")
    }
    guard height > 0, width > 0 else { throw file.refusal("sample_size", "is \(size)", advice: "correct the file") }
    inputChannels = try file.integer("in_channels", default: .integer(3))
    outputChannels = try file.integer("out_channels", default: .integer(3))
    guard (1...1 << 16).contains(inputChannels) else {
      throw file.refusal(
        "in_channels", "is \(inputChannels), but must be from 1 to \(1 << 16)", advice: "correct the file")
    }
    guard outputChannels == inputChannels || outputChannels == 2 * inputChannels else {
      throw file.refusal(
        "out_channels",
        "is \(outputChannels); with in_channels \(inputChannels) it must be the same, or twice as many for a learned "
          + "variance")
    }
    blocksPerLevel = try file.integer("layers_per_block", default: .integer(2))
    dropout = try file.number("dropout", default: .number(0))
    groupCount = try file.integer("norm_num_groups", default: .integer(32))
    let rows = file.value("num_class_embeds", default: .null)
    classRowCount = rows == .null ? nil : try file.integer("num_class_embeds", default: .null)
    if let classRowCount, classRowCount < 1 { throw file.refusal("num_class_embeds", "is \(classRowCount)") }
    attends = try Self.attention(file, levelCount: levelChannels.count)
    timeConditioning = try file.choice(
      "resnet_time_scale_shift", default: "default", among: Self.conditioningNames)
    headChannels = try readHeadChannels(file)
    try checkDerivedKeys(file)
  }

  /// The channels of each head, which must divide those of every attention; diffusers would ignore the rest.
  private func readHeadChannels(_ file: ComponentFile) throws(InterchangeError) -> Int? {
    let key = "attention_head_dim"
    if file.value(key, default: .integer(8)) == .null { return nil }
    let count = try file.integer(key, default: .integer(8))
    guard count > 0 else { throw file.refusal(key, "is \(count)", advice: "correct the file") }
    if let uneven = attentionChannels.first(where: { !$0.isMultiple(of: count) }) {
      let found = file.values[key] == nil ? "is missing, which means 8" : "is \(count)"
      throw file.refusal(key, "\(found), but an attention has \(uneven) channels, which it must divide")
    }
    return attentionChannels == [count] ? nil : count
  }

  /// Whether each level has attention, the same in both directions.
  private static func attention(_ file: ComponentFile, levelCount: Int) throws(InterchangeError) -> [Bool] {
    func levels(_ key: String, _ plain: String, _ attentive: String, _ assumed: [Bool]) throws(InterchangeError)
      -> [Bool]
    {
      let types = try file.texts(key, default: .list(assumed.map { .text($0 ? attentive : plain) }))
      guard types.count == levelCount else {
        throw file.refusal(
          key, "has \(types.count) entries, but block_out_channels \(levelCount)", advice: "correct the file")
      }
      return try types.map { (type) throws(InterchangeError) -> Bool in
        // Old files have UNetRes before the name.
        let name = type.hasPrefix("UNetRes") ? String(type.dropFirst("UNetRes".count)) : type
        guard name == plain || name == attentive else {
          throw file.refusal(key, "has \(type), but only \(plain) and \(attentive) are supported")
        }
        return name == attentive
      }
    }
    let down = try levels("down_block_types", "DownBlock2D", "AttnDownBlock2D", [false, true, true, true])
    let up = try levels("up_block_types", "UpBlock2D", "AttnUpBlock2D", [true, true, true, false])
    guard down == up.reversed() else {
      throw file.refusal(
        "up_block_types", "do not mirror down_block_types; a level must have attention in both or in neither")
    }
    return down
  }

  /// Checks the keys whose required values depend on others.
  private func checkDerivedKeys(_ file: ComponentFile) throws(InterchangeError) {
    let attentionGroups = file.value("attn_norm_num_groups", default: .null)
    guard attentionGroups.integer == groupCount || (attentionGroups == .null && timeConditioning == .add) else {
      throw file.refusal(
        "attn_norm_num_groups",
        attentionGroups == .null
          ? "is null, which with resnet_time_scale_shift scale_shift leaves the middle's attention without a norm; it "
            + "must have one of norm_num_groups groups"
          : "is \(attentionGroups), but all norms must have norm_num_groups groups")
    }
    let embedding = file.value("time_embedding_dim", default: .null)
    guard embedding == .null || embedding.integer == 4 * levelChannels[0] else {
      throw file.refusal("time_embedding_dim", "is \(embedding), but must be 4 times the first level's channels")
    }
  }

  // MARK: Into a run's configuration

  /// Sets the model's keys according to the network.
  /// - Parameter classCount: the number of the class embedding's rows that are classes.
  func apply(to configuration: inout RunConfiguration, classCount: Int?) {
    // Settings that diffusers has no keys for have the values of UNet2DModel's defaults.
    var model = RunConfiguration.ModelSettings()
    model.channels = levelChannels[0]
    model.multipliers = levelChannels.map { $0 / levelChannels[0] }
    model.blocks = blocksPerLevel
    model.attentionResolutions = attends.indices.filter { attends[$0] }.map { height >> $0 }
    model.dropout = dropout
    model.groups = groupCount
    model.classes = classCount
    model.architecture.timeConditioning = timeConditioning
    // There are two equivalent notations; keeps the configuration's own if it is one of them.
    let own = configuration.model.architecture
    func ownHeads(ofChannels count: Int) -> Int? {
      let heads = own.headCount(ofChannels: count)
      return heads * (own.headChannels ?? count / max(1, heads)) == count ? heads : nil
    }
    if attentionChannels.allSatisfy({ ownHeads(ofChannels: $0) == $0 / (headChannels ?? $0) }) {
      model.architecture.headCount = own.headCount
      model.architecture.headChannels = own.headChannels
    } else {
      model.architecture.headChannels = headChannels
    }
    model.convolution = configuration.model.convolution
    model.precision = configuration.model.precision
    // Settings of initial values, and of options that this network does not use.
    model.architecture.attentionInitialScale = own.attentionInitialScale
    model.architecture.fourierScale = own.fourierScale
    model.architecture.combination = own.combination
    configuration.model = model
  }
}
