import Inception
import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct FixedConvolutionTests {
  struct Case: Sendable {
    let shape: FixedConvolution.Shape
    var images = 2
    let height: Int
    let width: Int
  }

  private static func shape(
    _ inChannels: Int, _ outChannels: Int, _ kernelHeight: Int, _ kernelWidth: Int, stride: Int = 1, pad: Bool = true
  ) -> FixedConvolution.Shape {
    FixedConvolution.Shape(
      inChannels: inChannels, outChannels: outChannels, kernelHeight: kernelHeight, kernelWidth: kernelWidth,
      stride: stride, padHeight: pad ? kernelHeight / 2 : 0, padWidth: pad ? kernelWidth / 2 : 0)
  }

  static let cases: [Case] = [
    Case(shape: shape(3, 32, 3, 3, stride: 2, pad: false), height: 11, width: 8),
    Case(shape: shape(20, 48, 1, 7), height: 5, width: 9),
    Case(shape: shape(16, 100, 7, 1), height: 9, width: 4),
    Case(shape: shape(48, 64, 5, 5), height: 7, width: 6),
    Case(shape: shape(33, 7, 3, 3, stride: 2), height: 6, width: 6),
    Case(shape: shape(40, 80, 1, 1), images: 1, height: 3, width: 1),
    Case(shape: shape(5, 1, 1, 3, pad: false), height: 1, width: 3),
    // More patches than are processed at once.
    Case(shape: shape(17, 49, 3, 1), images: 3, height: 13, width: 17),
  ]

  /// A sum of `terms` products of normal numbers has a standard deviation of √terms, and its rounding errors are a few
  /// 2⁻²⁴ of that for each of its terms in the worst case.
  private static func tolerance(_ shape: FixedConvolution.Shape) -> Double {
    let terms = Double(shape.kernelHeight * shape.kernelWidth * shape.inChannels)
    return (4 + terms.squareRoot()) * 4 * 0x1p-24 * terms.squareRoot()
  }

  private struct Sample {
    let x: [Float]
    let kernel: [Float]
    let bias: [Float]
    let geometry: PatchGeometry

    init(_ sample: Case) {
      geometry = sample.shape.geometry(images: sample.images, height: sample.height, width: sample.width)
      x = TestData.normals(geometry.inputCount)
      kernel = TestData.normals(sample.shape.kernelCount, seed: 2)
      bias = TestData.normals(sample.shape.outChannels, seed: 3)
    }

    var input: Tensor { Tensor(x, shape: [geometry.images, geometry.height, geometry.width, geometry.channels]) }

    func result(channels: Int) -> Tensor {
      Tensor(repeating: .nan, shape: [geometry.images, geometry.outputHeight, geometry.outputWidth, channels])
    }
  }

  @Test(arguments: cases, [true, false]) func equalsTheReference(_ sample: Case, rectifies: Bool) {
    let data = Sample(sample)
    let convolution = FixedConvolution(sample.shape, kernel: data.kernel, bias: data.bias, rectifies: rectifies)
    let expected = Reference.convolution(
      x: data.x, kernel: data.kernel, bias: data.bias, geometry: data.geometry,
      outputChannels: sample.shape.outChannels
    ).map { rectifies ? max($0, 0) : $0 }
    let results = TestData.pools.map { pool in
      let y = data.result(channels: sample.shape.outChannels)
      convolution(ImageView(data.input), into: ImageView(y), workers: pool)
      return y.elements
    }
    #expect(TestData.largestDifference(results[0], expected) < Self.tolerance(sample.shape))
    #expect(TestData.sameBits(results[0], results[1]) && TestData.sameBits(results[0], results[2]))
  }

  @Test(arguments: cases) func readsAndWritesOnlySomeChannels(_ sample: Case) {
    let data = Sample(sample)
    let (inChannels, outChannels) = (sample.shape.inChannels, sample.shape.outChannels)
    let convolution = FixedConvolution(sample.shape, kernel: data.kernel, bias: data.bias, rectifies: true)
    let alone = data.result(channels: outChannels)
    convolution(ImageView(data.input), into: ImageView(alone), workers: .callingThread)

    // Input and result are surrounded by other channels.
    let wideInput = Tensor(repeating: .nan, shape: Array(data.input.shape.dropLast()) + [inChannels + 5])
    for (index, value) in data.x.enumerated() {
      wideInput.pointer[index / inChannels * (inChannels + 5) + 2 + index % inChannels] = value
    }
    let wide = Tensor(repeating: 7, shape: Array(alone.shape.dropLast()) + [outChannels + 4])
    convolution(
      ImageView(wideInput).channels(from: 2, count: inChannels),
      into: ImageView(wide).channels(from: 3, count: outChannels), workers: .callingThread)
    for (index, value) in wide.elements.enumerated() {
      let (pixel, channel) = index.quotientAndRemainder(dividingBy: outChannels + 4)
      let isInside = 3..<3 + outChannels ~= channel
      #expect(value == (isInside ? alone.pointer[pixel * outChannels + channel - 3] : 7))
    }
  }

  @Test func anImageDoesNotDependOnItsBatch() {
    let sample = Self.cases[7]
    let data = Sample(sample)
    let convolution = FixedConvolution(sample.shape, kernel: data.kernel, bias: data.bias, rectifies: false)
    let all = data.result(channels: sample.shape.outChannels)
    convolution(ImageView(data.input), into: ImageView(all), workers: .callingThread)
    let each = data.result(channels: sample.shape.outChannels)
    for image in 0..<sample.images {
      convolution(
        ImageView(data.input).images(image..<image + 1), into: ImageView(each).images(image..<image + 1),
        workers: .callingThread)
    }
    #expect(TestData.sameBits(all.elements, each.elements))
  }

  @Test func withoutBiasAddsNone() {
    let sample = Self.cases[5]
    let data = Sample(sample)
    let shape = sample.shape
    let zeros = [Float](repeating: 0, count: shape.outChannels)
    let results = [
      FixedConvolution(shape, kernel: data.kernel, bias: data.bias, rectifies: false).withoutBias,
      FixedConvolution(shape, kernel: data.kernel, bias: zeros, rectifies: false),
    ].map { convolution in
      let y = data.result(channels: shape.outChannels)
      convolution(ImageView(data.input), into: ImageView(y), workers: .callingThread)
      return y.elements
    }
    #expect(TestData.sameBits(results[0], results[1]))
  }
}
