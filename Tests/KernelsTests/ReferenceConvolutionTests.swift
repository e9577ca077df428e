import Kernels
import ReferenceKernels
import Testing

@Suite struct ReferenceConvolutionTests {
  static let geometries = [
    PatchGeometry(images: 2, height: 5, width: 4, channels: 3, kernelSize: 3, pad: 1),
    PatchGeometry(
      images: 1, height: 6, width: 6, channels: 2, kernelHeight: 3, kernelWidth: 3, stride: 2, padTop: 0, padLeft: 0,
      padBottom: 1, padRight: 1),
    PatchGeometry(
      images: 1, height: 4, width: 7, channels: 1, kernelHeight: 1, kernelWidth: 5, padTop: 0, padLeft: 2,
      padBottom: 0, padRight: 2),
    PatchGeometry(images: 1, height: 1, width: 1, channels: 4, kernelSize: 3, pad: 1),
    PatchGeometry(images: 1, height: 1, width: 1, channels: 2, kernelSize: 3, pad: 1, periodicity: .both),
    PatchGeometry(images: 2, height: 3, width: 5, channels: 2, kernelSize: 3, pad: 1, periodicity: .width),
    PatchGeometry(
      images: 1, height: 6, width: 4, channels: 2, kernelHeight: 3, kernelWidth: 3, stride: 2, padTop: 0, padLeft: 0,
      padBottom: 1, padRight: 1, periodicity: .height),
  ]

  @Test func convolutionOfAnImpulseIsTheFlippedKernel() {
    let geometry = PatchGeometry(images: 1, height: 3, width: 3, channels: 1, kernelSize: 3, pad: 1)
    let kernel = (1...9).map { Double($0) }
    let impulse: [Double] = [0, 0, 0, 0, 1, 0, 0, 0, 0]
    let y = Reference.convolution(x: impulse, kernel: kernel, bias: [0.5], geometry: geometry, outputChannels: 1)
    #expect(y == kernel.reversed().map { $0 + 0.5 })
  }

  @Test(arguments: Periodicity.allCases) func borderHasZerosOrTheOppositeSide(_ periodicity: Periodicity) {
    let geometry = PatchGeometry(
      images: 1, height: 2, width: 3, channels: 1, kernelSize: 3, pad: 1, periodicity: periodicity)
    let sums: [Double] = Reference.convolution(
      x: [1, 2, 4, 8, 16, 32], kernel: [Double](repeating: 1, count: 9), bias: nil, geometry: geometry,
      outputChannels: 1)
    let expected: [Double] =
      switch periodicity {
      case .none: [27, 63, 54, 27, 63, 54]
      case .width: [63, 63, 63, 63, 63, 63]
      case .height: [3 + 48, 7 + 112, 6 + 96, 6 + 24, 14 + 56, 12 + 48]
      case .both: [7 + 112, 7 + 112, 7 + 112, 14 + 56, 14 + 56, 14 + 56]
      }
    #expect(sums == expected)
  }

  @Test(arguments: geometries) func backwardEqualsFiniteDifferences(_ geometry: PatchGeometry) {
    let outputs = 2
    let x = TestData.normalDoubles(geometry.inputCount, seed: 1)
    let kernel = TestData.normalDoubles(geometry.patchLength * outputs, seed: 2)
    let bias = TestData.normalDoubles(outputs, seed: 3)
    let dy = TestData.normalDoubles(geometry.patchCount * outputs, seed: 4)
    func forward(_ x: [Double], _ kernel: [Double], _ bias: [Double]) -> [Double] {
      Reference.convolution(x: x, kernel: kernel, bias: bias, geometry: geometry, outputChannels: outputs)
    }
    let gradients = Reference.convolutionBackward(
      x: x, kernel: kernel, dy: dy, geometry: geometry, outputChannels: outputs)
    let dx = TestData.finiteDifferences(of: { forward($0, kernel, bias) }, at: x, weights: dy)
    let dKernel = TestData.finiteDifferences(of: { forward(x, $0, bias) }, at: kernel, weights: dy)
    let dBias = TestData.finiteDifferences(of: { forward(x, kernel, $0) }, at: bias, weights: dy)
    #expect(TestData.largestDifference(gradients.dx, dx) < TestData.finiteDifferenceTolerance)
    #expect(TestData.largestDifference(gradients.dKernel, dKernel) < TestData.finiteDifferenceTolerance)
    #expect(TestData.largestDifference(gradients.dBias, dBias) < TestData.finiteDifferenceTolerance)
  }

  @Test(arguments: geometries) func convolutionIsColumnsTimesKernel(_ geometry: PatchGeometry) {
    let outputs = 3
    let x = TestData.normalDoubles(geometry.inputCount)
    let kernel = TestData.normalDoubles(geometry.patchLength * outputs, seed: 2)
    let direct = Reference.convolution(x: x, kernel: kernel, bias: nil, geometry: geometry, outputChannels: outputs)
    let product = Reference.matrixProduct(
      Reference.columns(x: x, geometry: geometry), kernel, rows: geometry.patchCount, inner: geometry.patchLength,
      columns: outputs)
    #expect(TestData.largestDifference(direct, product) < 1e-12)
  }
}
