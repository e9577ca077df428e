import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct RectifiedWinogradTests {
  @Test(arguments: [(5, 7), (8, 8), (35, 11), (3, 3), (13, 16)], [0, 1])
  func equalsTheReference(size: (Int, Int), pad: Int) {
    for (inChannels, outChannels) in [(3, 5), (20, 48), (32, 64), (100, 33)] {
      let geometry = PatchGeometry(
        images: 2, height: size.0, width: size.1, channels: inChannels, kernelSize: 3, pad: pad)
      let x = TestData.normals(geometry.inputCount)
      let kernel = TestData.normals(9 * inChannels * outChannels, seed: 2)
      let bias = TestData.normals(outChannels, seed: 3)
      let expected = Reference.convolution(
        x: x, kernel: kernel, bias: bias, geometry: geometry, outputChannels: outChannels
      ).map { max($0, 0) }
      let results = TestData.pools.map { pool in
        // Surrounded by other channels, which must not change.
        let y = Tensor(repeating: 7, shape: [2, geometry.outputHeight, geometry.outputWidth, outChannels + 3])
        Winograd.convolveRectified(
          ImageView(Tensor(x, shape: [2, size.0, size.1, inChannels])),
          kernel: Tensor(kernel, shape: [kernel.count]).buffer, bias: Tensor(bias, shape: [outChannels]).buffer,
          pad: pad, into: ImageView(y).channels(from: 2, count: outChannels), workers: pool)
        return y.elements
      }
      let inside = results[0].indices.filter { 2..<2 + outChannels ~= $0 % (outChannels + 3) }
      #expect(relativeError(inside.map { results[0][$0] }, expected) < WinogradTests.tolerance)
      #expect(results[0].count { $0 == 7 } == 3 * geometry.patchCount)
      #expect(TestData.sameBits(results[0], results[1]) && TestData.sameBits(results[0], results[2]))
    }
  }
}
