import Tensors

enum TestFields {
  /// Independent standard normal numbers, the same on every run.
  static func normals(_ shape: [Int], seed: UInt64 = 1) -> Tensor {
    let fields = Tensor(uninitialised: shape)
    RandomStream(seed: seed, purpose: .noise).fillNormal(fields)
    return fields
  }

  /// The same with a function of each number and its channel.
  static func mapped(_ fields: Tensor, _ body: (_ value: Float, _ channel: Int) -> Float) -> Tensor {
    let channels = fields.shape[fields.shape.count - 1]
    return Tensor(fields.elements.enumerated().map { body($1, $0 % channels) }, shape: fields.shape)
  }
}
