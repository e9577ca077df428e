import Inception
import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct LineConvolutionTests {
  /// The points amplify rounding errors (2⁻²⁴ = 6e-8) no more than those of Winograd's convolutions in two dimensions:
  /// about a hundredfold in the worst element.
  private static let tolerance = 1e-5

  @Test(arguments: [(3, 5), (8, 8), (17, 4), (1, 1), (6, 17)], [3, 7])
  func equalsTheReference(size: (Int, Int), tapCount: Int) {
    for direction in [LineConvolution.Direction.alongRows, .alongColumns] {
      for (inChannels, outChannels) in [(1, 3), (20, 48), (48, 100), (100, 32)] {
        let isRow = direction == .alongRows
        let (height, width) = isRow ? (1, tapCount) : (tapCount, 1)
        let geometry = FixedConvolution.Shape(
          inChannels: inChannels, outChannels: outChannels, kernelHeight: height, kernelWidth: width,
          padHeight: height / 2, padWidth: width / 2
        ).geometry(images: 3, height: size.0, width: size.1)
        let x = TestData.normals(geometry.inputCount)
        let kernel = TestData.normals(tapCount * inChannels * outChannels, seed: 2)
        let bias = TestData.normals(outChannels, seed: 3)
        let expected = Reference.convolution(
          x: x, kernel: kernel, bias: bias, geometry: geometry, outputChannels: outChannels
        ).map { max($0, 0) }
        let convolution = LineConvolution(
          inChannels: inChannels, outChannels: outChannels, tapCount: tapCount, direction: direction, kernel: kernel,
          bias: bias)
        let results = TestData.pools.map { pool in
          // Surrounded by other channels, which must not change.
          let y = Tensor(repeating: 7, shape: [3, size.0, size.1, outChannels + 3])
          convolution(
            ImageView(Tensor(x, shape: [3, size.0, size.1, inChannels])),
            into: ImageView(y).channels(from: 2, count: outChannels), workers: pool)
          return y.elements
        }
        let inside = results[0].indices.filter { 2..<2 + outChannels ~= $0 % (outChannels + 3) }
        #expect(relativeError(inside.map { results[0][$0] }, expected) < Self.tolerance)
        #expect(results[0].count { $0 == 7 } == 3 * geometry.patchCount)
        #expect(TestData.sameBits(results[0], results[1]) && TestData.sameBits(results[0], results[2]))
      }
    }
  }

  @Test func anImageDoesNotDependOnItsBatch() {
    let convolution = LineConvolution(
      inChannels: 20, outChannels: 36, tapCount: 7, direction: .alongColumns,
      kernel: TestData.normals(7 * 20 * 36, seed: 2), bias: TestData.normals(36, seed: 3))
    let x = ImageView(Tensor(TestData.normals(5 * 9 * 11 * 20), shape: [5, 9, 11, 20]))
    let all = Tensor(uninitialised: [5, 9, 11, 36])
    convolution(x, into: ImageView(all), workers: .callingThread)
    let each = Tensor(uninitialised: [5, 9, 11, 36])
    for image in 0..<5 {
      convolution(
        x.images(image..<image + 1), into: ImageView(each).images(image..<image + 1), workers: .callingThread)
    }
    #expect(TestData.sameBits(all.elements, each.elements))
  }
}
