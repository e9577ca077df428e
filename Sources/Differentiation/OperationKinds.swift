/// The kinds of operations on a tape.
extension Profiler.Kind {
  package static let convolutionForward = Self("3x3 convolution forward")
  package static let convolutionInputGradient = Self("3x3 input gradient")
  package static let convolutionKernelGradient = Self("3x3 kernel gradient")

  /// 3x3 convolutions of images that are first enlarged twofold.
  package static let enlargingForward = Self("enlarging 3x3 forward")
  package static let enlargingInputGradient = Self("enlarging 3x3 input gradient")
  package static let enlargingKernelGradient = Self("enlarging 3x3 kernel gradient")

  package static let stridedForward = Self("stride-2 3x3 forward")
  package static let stridedInputGradient = Self("stride-2 3x3 input gradient")
  package static let stridedKernelGradient = Self("stride-2 3x3 kernel gradient")

  /// Including 1x1 convolutions, which are linear maps of every pixel.
  package static let linearForward = Self("linear map forward")
  package static let linearInputGradient = Self("linear map input gradient")
  package static let linearMatrixGradient = Self("linear map matrix gradient")

  package static let attentionForward = Self("attention forward")
  package static let attentionBackward = Self("attention backward")

  /// Including SiLU and dropout if they follow, as in the next two.
  package static let normForward = Self("group norm + SiLU forward")
  /// Recomputed for the backward pass.
  package static let normAgain = Self("group norm + SiLU again")
  package static let normBackward = Self("group norm + SiLU backward")

  /// Filters that change an image's size or smooth it, forward and backward.
  package static let resampling = Self("resampling")
  /// Sums of two values that are scaled, and the scaling of other results, forward and backward.
  package static let scaling = Self("scaled sum")
  /// Concatenation of values, forward and backward.
  package static let joining = Self("joining")
  /// Sinusoids of random frequencies.
  package static let fourierFeatures = Self("Fourier features")

  /// Rows of a table, one per image, added to a value.
  package static let rowAddition = Self("class embedding")
  /// In a classifier's head, forward and backward.
  package static let pixelMean = Self("mean over pixels")
  /// SiLU alone, forward and backward.
  package static let silu = Self("SiLU")
  /// Results rounded to 16-bit numbers, and copied for the backward pass.
  package static let rounding = Self("rounding to bfloat16")
  /// Such copies made floats again.
  package static let widening = Self("widening of bfloat16")
  /// Sums over rows or pixels: gradients of parameters and values that are added to all of them.
  package static let biasGradient = Self("bias gradient")
  /// Gradients of a value that several operations use.
  package static let gradientAddition = Self("gradient addition")
}
