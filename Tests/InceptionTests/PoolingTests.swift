import Inception
import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct PoolingTests {
  struct Case: Sendable {
    let height: Int
    let width: Int
    let stride: Int
    let pad: Int
  }

  static let cases = [
    Case(height: 7, width: 9, stride: 2, pad: 0), Case(height: 8, width: 6, stride: 2, pad: 0),
    Case(height: 5, width: 4, stride: 1, pad: 1), Case(height: 1, width: 1, stride: 1, pad: 1),
    Case(height: 2, width: 3, stride: 1, pad: 2),
  ]

  /// A mean of up to nine numbers of up to about 5.
  private static let tolerance = 9 * 5 * 0x1p-24

  @Test(arguments: cases, [Pooling.maximum, .mean]) func equalsTheReference(_ sample: Case, kind: Pooling) {
    for channels in TestData.channelCounts {
      let count = 2 * sample.height * sample.width * channels
      let x = TestData.normals(count)
      let expected = Reference.pooled(
        x: x, images: 2, height: sample.height, width: sample.width, channels: channels, kind: kind,
        stride: sample.stride, pad: sample.pad)
      for pool in TestData.pools {
        let y = Tensor(
          repeating: .nan,
          shape: [
            2, Pooling.outputSide(sample.height, stride: sample.stride, pad: sample.pad),
            Pooling.outputSide(sample.width, stride: sample.stride, pad: sample.pad), channels,
          ])
        kind(
          ImageView(Tensor(x, shape: [2, sample.height, sample.width, channels])), into: ImageView(y),
          stride: sample.stride, pad: sample.pad, workers: pool)
        #expect(TestData.largestDifference(y.elements, expected) <= (kind == .maximum ? 0 : Self.tolerance))
      }
    }
  }

  @Test func pixelsOutsideAreNeverTheMaximumNorCounted() {
    let x = ImageView(Tensor(repeating: -3, shape: [1, 3, 3, 1]))
    for kind in [Pooling.maximum, .mean] {
      let y = Tensor(repeating: .nan, shape: [1, 3, 3, 1])
      kind(x, into: ImageView(y), stride: 1, pad: 1, workers: .callingThread)
      #expect(y.elements == [Float](repeating: -3, count: 9))
    }
  }

  @Test func writesBetweenOtherChannels() {
    let x = TestData.normals(3 * 3 * 20)
    let alone = Tensor(uninitialised: [1, 1, 1, 20])
    let wide = Tensor(repeating: 7, shape: [1, 1, 1, 25])
    let input = ImageView(Tensor(x, shape: [1, 3, 3, 20]))
    Pooling.maximum(input, into: ImageView(alone), stride: 2, pad: 0, workers: .callingThread)
    Pooling.maximum(
      input, into: ImageView(wide).channels(from: 4, count: 20), stride: 2, pad: 0, workers: .callingThread)
    #expect(wide.elements == [7, 7, 7, 7] + alone.elements + [7])
  }

  @Test func meanOverPixelsIsPerImage() {
    let (images, pixels, channels) = (3, 64, 20)
    let x = TestData.normals(images * pixels * channels)
    let means = Tensor(repeating: .nan, shape: [images, 1, 1, channels])
    Pooling.meanOverPixels(
      ImageView(Tensor(x, shape: [images, 8, 8, channels])), into: ImageView(means), workers: TestData.pools[1])
    let expected = (0..<images * channels).map { index in
      (0..<pixels).reduce(0.0) { $0 + Double(x[(index / channels * pixels + $1) * channels + index % channels]) } / 64
    }
    // Means of 64 numbers of order one.
    #expect(TestData.largestDifference(means.elements.map { Double($0) }, expected) < 64 * 0x1p-24)
  }
}

@Suite struct BilinearResizingTests {
  /// Weights are differences of positions, which are rounded to 2⁻²⁴ of up to 40 pixels; neighbours differ by up to 8.
  private static let tolerance = 40 * 8 * 0x1p-23

  @Test(arguments: [(3, 4), (28, 28), (32, 20), (40, 1)], [(7, 5), (29, 31), (2, 3)])
  func equalsTheReference(from: (Int, Int), to: (Int, Int)) {
    let x = TestData.normals(2 * from.0 * from.1 * 3)
    let expected = Reference.resized(
      x: x, images: 2, height: from.0, width: from.1, channels: 3, newHeight: to.0, newWidth: to.1)
    for pool in TestData.pools {
      let y = Tensor(repeating: .nan, shape: [2, to.0, to.1, 3])
      BilinearResizing.resize(ImageView(Tensor(x, shape: [2, from.0, from.1, 3])), into: ImageView(y), workers: pool)
      #expect(TestData.largestDifference(y.elements, expected) < Self.tolerance)
    }
  }

  @Test func aGreyChannelIsRepeatedAndScaled() {
    let y = Tensor(repeating: .nan, shape: [1, 1, 2, 3])
    let x = ImageView(Tensor([0.25, 1], shape: [1, 1, 2, 1]))
    BilinearResizing.resize(x, into: ImageView(y), scale: 2, offset: -1, workers: .callingThread)
    #expect(y.elements == [-0.5, -0.5, -0.5, 1, 1, 1])
  }

  /// PyTorch's values: torch.nn.functional.interpolate(torch.tensor([[[0., 1., 3.]]]), 5, mode="linear").
  @Test func resizingAlignsPixelCentres() {
    let y = Tensor(repeating: .nan, shape: [1, 1, 5, 1])
    BilinearResizing.resize(
      ImageView(Tensor([0, 1, 3], shape: [1, 1, 3, 1])), into: ImageView(y), workers: .callingThread)
    let expected: [Float] = [0, 0.4, 1, 2.2, 3]
    #expect(TestData.largestDifference(y.elements, expected) < 1e-6)
  }
}
