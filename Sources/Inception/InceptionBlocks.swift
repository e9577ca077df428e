import Kernels

/// The parts of Inception-v3 (Szegedy et al.: "Rethinking the Inception architecture for computer vision",
/// arXiv:1512.00567, table 1 and figures 4 to 7) in the variant that FID is defined with: means over windows exclude
/// the zeros around the image, and the last block takes the maximum instead.
///
/// The names of blocks, branches and layers are those of torchvision's `Inception3`.
struct InceptionBlocks {
  let weights: InceptionWeights

  /// From 299x299 pixels to maps of 35x35: [N, 299, 299, 3] to [N, 35, 35, 192].
  func stem() throws -> Chain {
    Chain(
      try layer("Conv2d_1a_3x3", from: 3, to: 32, (3, 3), stride: 2, isPadded: false),
      try layer("Conv2d_2a_3x3", from: 32, to: 32, (3, 3), isPadded: false),
      try layer("Conv2d_2b_3x3", from: 32, to: 64, (3, 3)),
      PoolingLayer.downsampling,
      try layer("Conv2d_3b_1x1", from: 64, to: 80),
      try layer("Conv2d_4a_3x3", from: 80, to: 192, (3, 3), isPadded: false),
      PoolingLayer.downsampling)
  }

  /// [N, 35, 35, channels] to [N, 35, 35, 224 + poolChannels].
  func a(_ name: String, from channels: Int, poolChannels: Int) throws -> Joined {
    Joined(
      try layer("\(name).branch1x1", from: channels, to: 64),
      Chain(
        try layer("\(name).branch5x5_1", from: channels, to: 48),
        try layer("\(name).branch5x5_2", from: 48, to: 64, (5, 5))),
      Chain(
        try layer("\(name).branch3x3dbl_1", from: channels, to: 64),
        try layer("\(name).branch3x3dbl_2", from: 64, to: 96, (3, 3)),
        try layer("\(name).branch3x3dbl_3", from: 96, to: 96, (3, 3))),
      Chain(
        PoolingLayer.centred(.mean),
        try layer("\(name).branch_pool", from: channels, to: poolChannels)))
  }

  /// [N, 35, 35, channels] to [N, 17, 17, 480 + channels].
  func b(_ name: String, from channels: Int) throws -> Joined {
    Joined(
      try layer("\(name).branch3x3", from: channels, to: 384, (3, 3), stride: 2, isPadded: false),
      Chain(
        try layer("\(name).branch3x3dbl_1", from: channels, to: 64),
        try layer("\(name).branch3x3dbl_2", from: 64, to: 96, (3, 3)),
        try layer("\(name).branch3x3dbl_3", from: 96, to: 96, (3, 3), stride: 2, isPadded: false)),
      PoolingLayer.downsampling)
  }

  /// [N, 17, 17, 768] to the same shape. 7x7 kernels are factorised into rows and columns.
  func c(_ name: String, inner: Int) throws -> Joined {
    Joined(
      try layer("\(name).branch1x1", from: 768, to: 192),
      Chain(
        try layer("\(name).branch7x7_1", from: 768, to: inner),
        try layer("\(name).branch7x7_2", from: inner, to: inner, (1, 7)),
        try layer("\(name).branch7x7_3", from: inner, to: 192, (7, 1))),
      Chain(
        try layer("\(name).branch7x7dbl_1", from: 768, to: inner),
        try layer("\(name).branch7x7dbl_2", from: inner, to: inner, (7, 1)),
        try layer("\(name).branch7x7dbl_3", from: inner, to: inner, (1, 7)),
        try layer("\(name).branch7x7dbl_4", from: inner, to: inner, (7, 1)),
        try layer("\(name).branch7x7dbl_5", from: inner, to: 192, (1, 7))),
      Chain(
        PoolingLayer.centred(.mean),
        try layer("\(name).branch_pool", from: 768, to: 192)))
  }

  /// [N, 17, 17, 768] to [N, 8, 8, 1280].
  func d(_ name: String) throws -> Joined {
    Joined(
      Chain(
        try layer("\(name).branch3x3_1", from: 768, to: 192),
        try layer("\(name).branch3x3_2", from: 192, to: 320, (3, 3), stride: 2, isPadded: false)),
      Chain(
        try layer("\(name).branch7x7x3_1", from: 768, to: 192),
        try layer("\(name).branch7x7x3_2", from: 192, to: 192, (1, 7)),
        try layer("\(name).branch7x7x3_3", from: 192, to: 192, (7, 1)),
        try layer("\(name).branch7x7x3_4", from: 192, to: 192, (3, 3), stride: 2, isPadded: false)),
      PoolingLayer.downsampling)
  }

  /// [N, 8, 8, channels] to [N, 8, 8, 2048].
  func e(_ name: String, from channels: Int, pooling: Pooling) throws -> Joined {
    Joined(
      try layer("\(name).branch1x1", from: channels, to: 320),
      Chain(
        try layer("\(name).branch3x3_1", from: channels, to: 384),
        Joined(
          try layer("\(name).branch3x3_2a", from: 384, to: 384, (1, 3)),
          try layer("\(name).branch3x3_2b", from: 384, to: 384, (3, 1)))),
      Chain(
        try layer("\(name).branch3x3dbl_1", from: channels, to: 448),
        try layer("\(name).branch3x3dbl_2", from: 448, to: 384, (3, 3)),
        Joined(
          try layer("\(name).branch3x3dbl_3a", from: 384, to: 384, (1, 3)),
          try layer("\(name).branch3x3dbl_3b", from: 384, to: 384, (3, 1)))),
      Chain(
        PoolingLayer.centred(pooling),
        try layer("\(name).branch_pool", from: channels, to: 192)))
  }

  private func layer(
    _ name: String, from inChannels: Int, to outChannels: Int, _ kernel: (height: Int, width: Int) = (1, 1),
    stride: Int = 1, isPadded: Bool = true
  ) throws -> RectifiedConvolution {
    try RectifiedConvolution(
      name, from: inChannels, to: outChannels, kernel: kernel, stride: stride, isPadded: isPadded, weights: weights)
  }
}
