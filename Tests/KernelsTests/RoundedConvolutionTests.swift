import Kernels
import MicroKernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct RoundedConvolutionTests {
  /// With operands that are bfloat16 numbers, the errors of sums in single precision: of up to 2000 terms at once, in
  /// which half as many roundings of 2⁻²⁴ as there are terms have an effect, of both signs.
  static let tolerance = 2e-6

  /// Strips of 16 and of 32 channels, several of them, lines that are longer than a sum, more images than a block has.
  static let geometries =
    DirectConvolutionTests.geometries + [
      Winograd.Geometry(images: 9, height: 4, width: 4, inChannels: 33, outChannels: 49),
      Winograd.Geometry(images: 1, height: 3, width: 5000, inChannels: 2, outChannels: 3, periodicity: .width),
      Winograd.Geometry(images: 2, height: 80, width: 60, inChannels: 3, outChannels: 17),
    ]

  private static let smallGeometries = geometries.filter { $0.images * $0.height * $0.width < 600 }

  @Test(arguments: geometries)
  func convolutionOfRoundedOperandsEqualsTheDefinition(geometry: Winograd.Geometry) {
    let operands = ConvolutionOperands(geometry, areRounded: true)
    #expect(relativeError(operands.convolve(bias: operands.bias), operands.result) < Self.tolerance)
  }

  @Test(arguments: geometries)
  func gradientsOfRoundedOperandsEqualTheDefinition(geometry: Winograd.Geometry) {
    let operands = ConvolutionOperands(geometry, areRounded: true)
    let expected = operands.gradients
    #expect(relativeError(operands.propagate(), expected.dx) < Self.tolerance)
    // Adds to existing values, here ones.
    #expect(relativeError(operands.kernelGradient().kernel, expected.dKernel.map { $0 + 1 }) < Self.tolerance)
  }

  @Test(arguments: geometries)
  func operandsAreRoundedToNearestAndAddendsAreNot(geometry: Winograd.Geometry) {
    let (plain, rounded) = (ConvolutionOperands(geometry), ConvolutionOperands(geometry, areRounded: true))
    #expect(TestData.sameBits(plain.convolve(), rounded.convolve()))
    #expect(TestData.sameBits(plain.propagate(), rounded.propagate()))
    #expect(TestData.sameBits(plain.kernelGradient().kernel, rounded.kernelGradient().kernel))
    let sums = TestData.written(geometry.images * geometry.outChannels) {
      var unused = [Float](repeating: 0, count: plain.kernel.count)
      DirectConvolution.accumulateKernelGradient(
        x: plain.x.pointer, dy: plain.dy.pointer, dKernel: &unused, imageSums: $0, geometry: geometry,
        workers: TestData.pools[0])
    }
    #expect(TestData.sameBits(plain.kernelGradient().images, sums))

    let result = plain.convolve()
    let perImage = normalTensor([geometry.images, geometry.outChannels], seed: 8)
    let residual = normalTensor(plain.dy.shape, seed: 9)
    let imageSize = result.count / geometry.images
    let expected = result.indices.map { i in
      let channel = i % geometry.outChannels
      return result[i]
        + (plain.bias.pointer[channel] + perImage.pointer[i / imageSize * geometry.outChannels + channel])
        + residual.pointer[i]
    }
    #expect(
      TestData.sameBits(plain.convolve(bias: plain.bias, perImage: perImage, residual: residual), expected))
    let addend = normalTensor(plain.x.shape, seed: 10)
    let sum = zip(plain.propagate(), addend.elements).map(+)
    #expect(TestData.sameBits(plain.propagate(addend: addend), sum))
    // The addend may be the result's memory.
    let inPlace = addend.copied()
    RoundedConvolution().propagateGradient(
      dy: plain.dy.pointer, kernel: plain.kernel.pointer, dx: inPlace.pointer, geometry: geometry,
      addend: inPlace.pointer, workers: TestData.pools[1])
    #expect(TestData.sameBits(inPlace.elements, sum))
  }

  /// Modelled instructions take a second for a thousand pixels of 64 channels.
  @Test(arguments: smallGeometries)
  func allImplementationsGiveTheSameBits(geometry: Winograd.Geometry) {
    let operands = ConvolutionOperands(geometry)
    for products in RoundedKernel.testable {
      #expect(TestData.sameBits(operands.convolve(products), operands.convolve()), "\(products.name)")
      #expect(TestData.sameBits(operands.propagate(products), operands.propagate()), "\(products.name)")
      #expect(
        TestData.sameBits(operands.kernelGradient(products).kernel, operands.kernelGradient().kernel),
        "\(products.name)")
    }
  }

  @Test(arguments: geometries)
  func numberOfThreadsDoesNotChangeTheBits(geometry: Winograd.Geometry) {
    let operands = ConvolutionOperands(geometry)
    for pool in TestData.pools[1...] {
      #expect(TestData.sameBits(operands.convolve(pool: pool), operands.convolve()))
      #expect(TestData.sameBits(operands.propagate(pool: pool), operands.propagate()))
      let (several, single) = (operands.kernelGradient(pool: pool), operands.kernelGradient())
      #expect(TestData.sameBits(several.kernel, single.kernel))
      #expect(TestData.sameBits(several.images, single.images))
    }
  }

  @Test(arguments: [false, true]) func anImageDoesNotDependOnItsBatch(enlargesInput: Bool) {
    func geometry(images: Int) -> Winograd.Geometry {
      Winograd.Geometry(
        images: images, height: 6, width: 10, inChannels: 20, outChannels: 12, enlargesInput: enlargesInput)
    }
    let together = ConvolutionOperands(geometry(images: 3))
    let (y, dx) = (together.convolve(), together.propagate())
    for image in 0..<3 {
      let alone = ConvolutionOperands(geometry(images: 1), image: image, of: together)
      #expect(TestData.sameBits(alone.convolve(), Array(y[image * y.count / 3..<(image + 1) * y.count / 3])))
      #expect(TestData.sameBits(alone.propagate(), Array(dx[image * dx.count / 3..<(image + 1) * dx.count / 3])))
    }
  }

  @Test func methodDeterminesTheAlgorithm() {
    let operands = ConvolutionOperands(
      Winograd.Geometry(images: 2, height: 16, width: 16, inChannels: 64, outChannels: 32))
    let (x, kernel, dy) = (operands.x, operands.kernel, operands.dy)
    let (method, pool) = (ConvolutionMethod.rounded, TestData.pools[0])
    #expect(
      TestData.sameBits(
        TestData.written(dy.shape) { method.convolve(x, kernel: kernel, into: $0, workers: pool) },
        operands.convolve()))
    #expect(
      TestData.sameBits(
        TestData.written(x.shape) { method.propagateGradient(dy, kernel: kernel, into: $0, workers: pool) },
        operands.propagate()))
    #expect(
      TestData.sameBits(
        TestData.filled([Float](repeating: 1, count: kernel.count), kernel.shape) {
          method.accumulateKernelGradient(x, dy: dy, into: $0, imageSums: operands.imageSums, workers: pool)
        }, operands.kernelGradient().kernel))
    let work = operands.geometry.convolutionWork()
    #expect(method.counted(work).arithmetic == work.directArithmetic)
  }

  @Test func aBatchWithoutImagesAddsNothing() {
    let operands = ConvolutionOperands(
      Winograd.Geometry(images: 0, height: 4, width: 4, inChannels: 3, outChannels: 5))
    #expect(operands.kernelGradient().kernel.allSatisfy { $0 == 1 })
  }
}

/// The results of `RoundedConvolution`.
extension ConvolutionOperands {
  fileprivate func convolve(
    _ products: RoundedKernel = .best, bias: Tensor? = nil, perImage: Tensor? = nil, residual: Tensor? = nil,
    pool: WorkerPool = TestData.pools[0]
  ) -> [Float] {
    TestData.written(dy.count) {
      RoundedConvolution(products: products).convolve(
        x: x.pointer, kernel: kernel.pointer, y: $0, geometry: geometry, bias: bias?.pointer,
        perImage: perImage?.pointer, residual: residual?.pointer, workers: pool)
    }
  }

  fileprivate func propagate(
    _ products: RoundedKernel = .best, addend: Tensor? = nil, pool: WorkerPool = TestData.pools[0]
  ) -> [Float] {
    TestData.written(x.count) {
      RoundedConvolution(products: products).propagateGradient(
        dy: dy.pointer, kernel: kernel.pointer, dx: $0, geometry: geometry, addend: addend?.pointer, workers: pool)
    }
  }

  /// The kernel's gradient, added to ones, and the sums over images.
  fileprivate func kernelGradient(
    _ products: RoundedKernel = .best, pool: WorkerPool = TestData.pools[0]
  ) -> (kernel: [Float], images: [Float]) {
    let gradient = Tensor(repeating: 1, shape: kernel.shape)
    let sums = imageSums
    RoundedConvolution(products: products).accumulateKernelGradient(
      x: x.pointer, dy: dy.pointer, dKernel: gradient.pointer, imageSums: sums.pointer, geometry: geometry,
      workers: pool)
    return (gradient.elements, sums.elements)
  }
}
