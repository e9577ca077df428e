/// The kinds of operations on a tape.
extension Profiler.Kind {
  public static let convolutionForward = Self("3x3 convolution forward")
  public static let convolutionInputGradient = Self("3x3 input gradient")
  public static let convolutionKernelGradient = Self("3x3 kernel gradient")

  /// 3x3 convolutions of images that are first enlarged twofold.
  public static let enlargingForward = Self("enlarging 3x3 forward")
  public static let enlargingInputGradient = Self("enlarging 3x3 input gradient")
  public static let enlargingKernelGradient = Self("enlarging 3x3 kernel gradient")

  public static let stridedForward = Self("stride-2 3x3 forward")
  public static let stridedInputGradient = Self("stride-2 3x3 input gradient")
  public static let stridedKernelGradient = Self("stride-2 3x3 kernel gradient")

  /// Including 1x1 convolutions, which are linear maps of every pixel.
  public static let linearForward = Self("linear map forward")
  public static let linearInputGradient = Self("linear map input gradient")
  public static let linearMatrixGradient = Self("linear map matrix gradient")

  public static let attentionForward = Self("attention forward")
  public static let attentionBackward = Self("attention backward")

  /// Including SiLU and dropout if they follow, as in the next two.
  public static let normForward = Self("group norm + SiLU forward")
  /// Recomputed for the backward pass.
  public static let normAgain = Self("group norm + SiLU again")
  public static let normBackward = Self("group norm + SiLU backward")

  /// Filters that change an image's size or smooth it, forward and backward.
  public static let resampling = Self("resampling")
  /// Sums of two values that are scaled, and the scaling of other results, forward and backward.
  public static let scaling = Self("scaled sum")
  /// Concatenation of values, forward and backward.
  public static let joining = Self("joining")
  /// Sinusoids of random frequencies.
  public static let fourierFeatures = Self("Fourier features")

  /// Rows of a table, one per image, added to a value.
  public static let rowAddition = Self("class embedding")
  /// In a classifier's head, forward and backward.
  public static let pixelMean = Self("mean over pixels")
  /// SiLU alone, forward and backward.
  public static let silu = Self("SiLU")
  /// Sums over rows or pixels: gradients of parameters and values that are added to all of them.
  public static let biasGradient = Self("bias gradient")
  /// Gradients of a value that several operations use.
  public static let gradientAddition = Self("gradient addition")
}
