import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct DirectConvolutionTests {
  /// Single-precision sums of up to 2000 products at once: half as many roundings of 2⁻²⁴, of both signs.
  static let tolerance = 2e-6

  static let geometries = [
    geometry(1, 1, 1, from: 1, to: 1),
    geometry(3, 5, 7, from: 3, to: 20),
    geometry(2, 6, 10, from: 20, to: 3),
    geometry(5, 13, 9, from: 33, to: 65),
    geometry(2, 16, 16, from: 64, to: 32),
    // More rows than one block of patches has.
    geometry(1, 42, 64, from: 64, to: 5),
    geometry(1, 42, 64, from: 5, to: 64),
    geometry(1, 2, 2, from: 16, to: 16, enlargesInput: true),
    geometry(3, 6, 10, from: 20, to: 12, enlargesInput: true),
    geometry(1, 42, 64, from: 64, to: 5, enlargesInput: true),
    geometry(1, 42, 64, from: 5, to: 64, enlargesInput: true),
    geometry(1, 1, 1, from: 3, to: 2, periodicity: .both),
    geometry(2, 2, 2, from: 5, to: 16, periodicity: .both),
    geometry(3, 3, 5, from: 3, to: 20, periodicity: .width),
    geometry(2, 7, 5, from: 20, to: 3, periodicity: .height),
    geometry(1, 42, 64, from: 64, to: 5, periodicity: .both),
    geometry(1, 2, 2, from: 16, to: 16, enlargesInput: true, periodicity: .both),
    geometry(3, 6, 10, from: 20, to: 12, enlargesInput: true, periodicity: .width),
    geometry(1, 42, 64, from: 64, to: 5, enlargesInput: true, periodicity: .both),
  ]

  @Test(arguments: geometries)
  func convolutionEqualsTheDefinition(geometry: Winograd.Geometry) {
    let operands = ConvolutionOperands(geometry)
    #expect(relativeError(operands.convolve(bias: operands.bias), operands.result) < Self.tolerance)
  }

  @Test(arguments: geometries)
  func addendsAreAdded(geometry: Winograd.Geometry) {
    let operands = ConvolutionOperands(geometry)
    let plain = operands.convolve()
    let perImage = normalTensor([geometry.images, geometry.outChannels], seed: 8)
    let residual = normalTensor(operands.dy.shape, seed: 9)
    let all = operands.convolve(bias: operands.bias, perImage: perImage, residual: residual)
    let imageSize = plain.count / geometry.images
    let expected = plain.indices.map { i in
      let channel = i % geometry.outChannels
      return plain[i] + operands.bias.pointer[channel]
        + perImage.pointer[i / imageSize * geometry.outChannels + channel] + residual.pointer[i]
    }
    #expect(relativeError(all, expected) < Self.tolerance)
    let dx = operands.propagate()
    let addend = normalTensor(operands.x.shape, seed: 10)
    let sum = zip(dx, addend.elements).map(+)
    #expect(relativeError(operands.propagate(addend: addend), sum) < Self.tolerance)
    // The addend may be the result's memory.
    let inPlace = addend.copied()
    DirectConvolution.propagateGradient(
      dy: operands.dy.pointer, kernel: operands.kernel.pointer, dx: inPlace.pointer, geometry: geometry,
      addend: inPlace.pointer, workers: TestData.pools[1])
    #expect(relativeError(inPlace.elements, sum) < Self.tolerance)
  }

  @Test(arguments: geometries)
  func gradientsEqualTheDefinition(geometry: Winograd.Geometry) {
    let operands = ConvolutionOperands(geometry)
    let expected = operands.gradients
    #expect(relativeError(operands.propagate(), expected.dx) < Self.tolerance)
    // Adds to existing values, here ones.
    #expect(relativeError(operands.kernelGradient(), expected.dKernel.map { $0 + 1 }) < Self.tolerance)
  }

  @Test(arguments: geometries)
  func numberOfThreadsDoesNotChangeTheBits(geometry: Winograd.Geometry) {
    let operands = ConvolutionOperands(geometry)
    for pool in TestData.pools[1...] {
      #expect(TestData.sameBits(operands.convolve(pool: pool), operands.convolve()))
      #expect(TestData.sameBits(operands.propagate(pool: pool), operands.propagate()))
      #expect(TestData.sameBits(operands.kernelGradient(pool: pool), operands.kernelGradient()))
    }
  }

  @Test func anImageDoesNotDependOnItsBatch() {
    let together = ConvolutionOperands(Self.geometry(3, 6, 10, from: 20, to: 12, enlargesInput: true))
    let (y, dx) = (together.convolve(), together.propagate())
    for image in 0..<3 {
      let alone = ConvolutionOperands(
        Self.geometry(1, 6, 10, from: 20, to: 12, enlargesInput: true), image: image, of: together)
      #expect(TestData.sameBits(alone.convolve(), Array(y[image * y.count / 3..<(image + 1) * y.count / 3])))
      #expect(TestData.sameBits(alone.propagate(), Array(dx[image * dx.count / 3..<(image + 1) * dx.count / 3])))
    }
  }

  @Test func methodDeterminesTheAlgorithm() {
    let operands = ConvolutionOperands(Self.geometry(2, 16, 16, from: 64, to: 32))
    let (x, kernel, dy) = (operands.x, operands.kernel, operands.dy)
    func results(_ method: ConvolutionMethod) -> [[Float]] {
      let pool = TestData.pools[0]
      return [
        TestData.written(dy.shape) { method.convolve(x, kernel: kernel, into: $0, workers: pool) },
        TestData.written(x.shape) { method.propagateGradient(dy, kernel: kernel, into: $0, workers: pool) },
        TestData.filled([Float](repeating: 1, count: kernel.count), kernel.shape) {
          method.accumulateKernelGradient(x, dy: dy, into: $0, imageSums: operands.imageSums, workers: pool)
        },
      ]
    }
    let expected = [operands.convolve(), operands.propagate(), operands.kernelGradient()]
    #expect(zip(results(.direct), expected).allSatisfy { TestData.sameBits($0, $1) })
    #expect(!zip(results(.winograd), expected).contains { TestData.sameBits($0, $1) })
    let work = operands.geometry.convolutionWork()
    #expect(ConvolutionMethod.winograd.counted(work) == work)
    #expect(ConvolutionMethod.direct.counted(work).arithmetic == work.directArithmetic)
  }

  private static func geometry(
    _ images: Int, _ height: Int, _ width: Int, from inChannels: Int, to outChannels: Int, enlargesInput: Bool = false,
    periodicity: Periodicity = .none
  ) -> Winograd.Geometry {
    Winograd.Geometry(
      images: images, height: height, width: width, inChannels: inChannels, outChannels: outChannels,
      enlargesInput: enlargesInput, periodicity: periodicity)
  }
}

/// The results of `DirectConvolution`.
extension ConvolutionOperands {
  fileprivate func convolve(
    bias: Tensor? = nil, perImage: Tensor? = nil, residual: Tensor? = nil, pool: WorkerPool = TestData.pools[0]
  ) -> [Float] {
    TestData.written(dy.count) {
      DirectConvolution.convolve(
        x: x.pointer, kernel: kernel.pointer, y: $0, geometry: geometry, bias: bias?.pointer,
        perImage: perImage?.pointer, residual: residual?.pointer, workers: pool)
    }
  }

  fileprivate func propagate(addend: Tensor? = nil, pool: WorkerPool = TestData.pools[0]) -> [Float] {
    TestData.written(x.count) {
      DirectConvolution.propagateGradient(
        dy: dy.pointer, kernel: kernel.pointer, dx: $0, geometry: geometry, addend: addend?.pointer, workers: pool)
    }
  }

  /// Added to ones.
  fileprivate func kernelGradient(pool: WorkerPool = TestData.pools[0]) -> [Float] {
    TestData.filled([Float](repeating: 1, count: kernel.count)) {
      DirectConvolution.accumulateKernelGradient(
        x: x.pointer, dy: dy.pointer, dKernel: $0, imageSums: imageSums.pointer, geometry: geometry, workers: pool)
    }
  }
}
