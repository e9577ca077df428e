import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct ImageToColumnsTests {
  static let geometries: [PatchGeometry] = TestData.channelCounts.flatMap { channels in
    [
      PatchGeometry(images: 2, height: 5, width: 7, channels: channels, kernelSize: 3, pad: 1),
      PatchGeometry(images: 2, height: 1, width: 1, channels: channels, kernelSize: 3, pad: 1),
      PatchGeometry(
        images: 2, height: 6, width: 8, channels: channels, kernelHeight: 3, kernelWidth: 3, stride: 2, padTop: 0,
        padLeft: 0, padBottom: 1, padRight: 1),
      PatchGeometry(images: 1, height: 9, width: 9, channels: channels, kernelSize: 5, stride: 2, pad: 2),
      PatchGeometry(
        images: 1, height: 4, width: 9, channels: channels, kernelHeight: 1, kernelWidth: 7, padTop: 0, padLeft: 3,
        padBottom: 0, padRight: 3),
      PatchGeometry(images: 1, height: 4, width: 4, channels: channels, kernelSize: 2, stride: 3, pad: 2),
      PatchGeometry(images: 2, height: 5, width: 7, channels: channels, kernelSize: 3, pad: 1, periodicity: .width),
      PatchGeometry(images: 2, height: 3, width: 5, channels: channels, kernelSize: 3, pad: 1, periodicity: .height),
      PatchGeometry(images: 2, height: 1, width: 1, channels: channels, kernelSize: 3, pad: 1, periodicity: .both),
      PatchGeometry(
        images: 2, height: 6, width: 8, channels: channels, kernelHeight: 3, kernelWidth: 3, stride: 2, padTop: 0,
        padLeft: 0, padBottom: 1, padRight: 1, periodicity: .both),
      PatchGeometry(
        images: 2, height: 2, width: 2, channels: channels, kernelHeight: 3, kernelWidth: 3, stride: 2, padTop: 0,
        padLeft: 0, padBottom: 1, padRight: 1, periodicity: .both),
      // Larger than the image, and than the image with one repetition on each side.
      PatchGeometry(
        images: 1, height: 2, width: 3, channels: channels, kernelSize: 5, stride: 2, pad: 2, periodicity: .both),
      PatchGeometry(
        images: 1, height: 4, width: 1, channels: channels, kernelHeight: 1, kernelWidth: 7, padTop: 0, padLeft: 3,
        padBottom: 0, padRight: 3, periodicity: .width),
      PatchGeometry(
        images: 1, height: 4, width: 4, channels: channels, kernelSize: 2, stride: 3, pad: 2, periodicity: .both),
    ]
  }

  @Test(arguments: geometries) func columnsEqualTheReference(_ geometry: PatchGeometry) {
    let x = TestData.normals(geometry.inputCount)
    let expected = Reference.columns(x: x, geometry: geometry)
    for pool in TestData.pools {
      let columns = TestData.written([expected.count]) {
        ImageToColumns.columns(of: Tensor(x, shape: [x.count]), into: $0, geometry: geometry, workers: pool)
      }
      #expect(columns.elementsEqual(expected))
    }
  }

  /// ⟨columns(x), c⟩ = ⟨x, adjoint(c)⟩ for unit vectors x means that the adjoint's elements are sums over all copies of
  /// an element: the gradient of a convolution whose kernel picks every element of the patch.
  @Test(arguments: geometries) func addingColumnsIsTheAdjoint(_ geometry: PatchGeometry) {
    let columns = TestData.normals(geometry.patchCount * geometry.patchLength)
    let indices = Reference.columns(x: (1...geometry.inputCount).map { Double($0) }, geometry: geometry)
    var expected = [Double](repeating: 0, count: geometry.inputCount)
    for (index, value) in zip(indices, columns) where index > 0 { expected[Int(index) - 1] += Double(value) }
    // At most 25 additions of numbers up to about 15.
    let tolerance = 25 * 15 * 0x1p-24
    let results = TestData.pools.map { pool in
      TestData.written([geometry.inputCount]) {
        ImageToColumns.addColumns(
          Tensor(columns, shape: [columns.count]), into: $0, geometry: geometry, workers: pool)
      }
    }
    #expect(TestData.largestDifference(results[0].map { Double($0) }, expected) < tolerance)
    #expect(TestData.sameBits(results[0], results[1]) && TestData.sameBits(results[0], results[2]))
  }
}
