import Interchange

extension UNetMapping {
  struct FixedKey: Sendable {
    /// Diffusers' default for the key.
    let assumed: JSONValue
    /// The values that match our network; the first one is written.
    let needed: [JSONValue]
    /// The behaviour of our network.
    let why: String

    init(_ assumed: JSONValue, needed: JSONValue..., why: String) {
      self.assumed = assumed
      self.needed = needed
      self.why = why
    }
  }

  /// The arguments of `UNet2DModel` that are fixed in our network.
  static let fixedKeys: [String: FixedKey] = [
    "act_fn": FixedKey(.text("silu"), needed: .text("silu"), .text("swish"), why: "the activation is SiLU"),
    "add_attention": FixedKey(.boolean(true), needed: .boolean(true), why: "the middle has attention"),
    "center_input_sample": FixedKey(.boolean(false), needed: .boolean(false), why: "images reach from -1 to 1 already"),
    "class_embed_type": FixedKey(.null, needed: .null, why: "classes are rows of a table"),
    "downsample_padding": FixedKey(
      .integer(1), needed: .integer(0), why: "the strided convolution pads only below and to the right"),
    "downsample_type": FixedKey(.text("conv"), needed: .text("conv"), why: "a strided convolution halves the size"),
    "flip_sin_to_cos": FixedKey(.boolean(true), needed: .boolean(false), why: "sines come before cosines"),
    "freq_shift": FixedKey(
      .integer(0), needed: .integer(1), why: "the last of the half frequencies is 1/10000, as in the DDPM paper's code"),
    "mid_block_scale_factor": FixedKey(.integer(1), needed: .integer(1), why: "sums are not rescaled"),
    "mid_block_type": FixedKey(
      .text("UNetMidBlock2D"), needed: .text("UNetMidBlock2D"), .text("UNetResMidBlock2D"), why: "there is a middle"),
    "norm_eps": FixedKey(.number(1e-5), needed: .number(1e-6), why: "the norms' epsilon is 1e-6"),
    "num_train_timesteps": FixedKey(.null, needed: .null, why: "no table of times is learned"),
    "time_embedding_type": FixedKey(
      .text("positional"), needed: .text("positional"), why: "times are embedded as sinusoids of fixed frequencies"),
    "upsample_type": FixedKey(
      .text("conv"), needed: .text("conv"), why: "pixels are repeated before a convolution, which doubles the size"),
  ]

  /// Keys that are read individually, or do not affect the network.
  private static let otherKeys: Set = [
    "sample_size", "in_channels", "out_channels", "block_out_channels", "layers_per_block", "down_block_types",
    "up_block_types", "attention_head_dim", "attn_norm_num_groups", "time_embedding_dim", "dropout", "norm_num_groups",
    "num_class_embeds", "resnet_time_scale_shift",
  ]

  /// - Throws: `InterchangeError` naming a key with an unsupported value, or an unknown key.
  static func checkFixedKeys(_ file: ComponentFile) throws(InterchangeError) {
    for (key, fixed) in fixedKeys.sorted(by: { $0.key < $1.key }) {
      let value = file.value(key, default: fixed.assumed)
      guard fixed.needed.contains(where: value.means) else {
        let found = file.values[key] == nil ? "is missing, which means \(value)" : "is \(value)"
        throw file.refusal(key, "\(found), but must be \(fixed.needed[0]): in this program \(fixed.why)")
      }
    }
    for (key, value) in file.values.sorted(by: { $0.key < $1.key })
    where !key.hasPrefix("_") && value != .null && fixedKeys[key] == nil && !otherKeys.contains(key) {
      throw file.refusal(
        key, "is \(value), but UNet2DModel has no such argument",
        advice: "remove it from the file if the network is the same without it")
    }
  }
}
