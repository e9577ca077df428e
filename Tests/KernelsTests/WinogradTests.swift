import Kernels
import ReferenceKernels
import Tensors
import Testing

func normalTensor(_ shape: [Int], seed: UInt64) -> Tensor {
  let tensor = Tensor(uninitialised: shape)
  RandomStream(seed: seed, purpose: .noise).fillNormal(tensor)
  return tensor
}

@Suite struct WinogradTests {
  /// Winograd's F(4x4, 3x3) amplifies single-precision rounding errors (2⁻²⁴ = 6e-8) by the norms of its transforms,
  /// about a hundredfold in the worst element; for norms, 1e-5 leaves a margin of about ten.
  static let tolerance = 1e-5

  struct Shape: CustomTestStringConvertible {
    let images: Int, height: Int, width: Int, inChannels: Int, outChannels: Int
    var periodicity = Periodicity.none
    var testDescription: String {
      "\(images)x\(height)x\(width) \(inChannels)->\(outChannels), periodic: \(periodicity)"
    }
    var winograd: Winograd.Geometry {
      Winograd.Geometry(
        images: images, height: height, width: width, inChannels: inChannels, outChannels: outChannels,
        periodicity: periodicity)
    }
    var patches: PatchGeometry {
      PatchGeometry(
        images: images, height: height, width: width, channels: inChannels, kernelSize: 3, pad: 1,
        periodicity: periodicity)
    }
  }

  static let shapes = [
    Shape(images: 2, height: 8, width: 8, inChannels: 32, outChannels: 32),
    Shape(images: 1, height: 1, width: 1, inChannels: 1, outChannels: 1),
    Shape(images: 3, height: 5, width: 7, inChannels: 3, outChannels: 20),
    Shape(images: 2, height: 6, width: 10, inChannels: 20, outChannels: 3),
    Shape(images: 1, height: 4, width: 4, inChannels: 100, outChannels: 48),
    Shape(images: 2, height: 16, width: 16, inChannels: 64, outChannels: 32),
    Shape(images: 5, height: 13, width: 9, inChannels: 33, outChannels: 65),
    Shape(images: 9, height: 16, width: 16, inChannels: 16, outChannels: 16),
    // More tiles than one block, and every mixture of strips: 32 + 32, 48, 48 + 32, 48 + 32 + 32, 48 + 48.
    Shape(images: 5, height: 32, width: 32, inChannels: 17, outChannels: 64),
    // Fewer blocks than threads, which then share the channels.
    Shape(images: 9, height: 16, width: 16, inChannels: 144, outChannels: 64),
    Shape(images: 1, height: 8, width: 8, inChannels: 48, outChannels: 80),
    Shape(images: 1, height: 4, width: 8, inChannels: 112, outChannels: 96),
    Shape(images: 1, height: 1, width: 1, inChannels: 3, outChannels: 2, periodicity: .both),
    Shape(images: 2, height: 2, width: 2, inChannels: 20, outChannels: 16, periodicity: .both),
    Shape(images: 2, height: 3, width: 5, inChannels: 16, outChannels: 20, periodicity: .both),
    Shape(images: 3, height: 5, width: 7, inChannels: 3, outChannels: 20, periodicity: .width),
    Shape(images: 3, height: 7, width: 1, inChannels: 17, outChannels: 33, periodicity: .height),
    Shape(images: 2, height: 4, width: 4, inChannels: 100, outChannels: 48, periodicity: .both),
    Shape(images: 5, height: 13, width: 9, inChannels: 33, outChannels: 65, periodicity: .both),
    Shape(images: 2, height: 16, width: 8, inChannels: 64, outChannels: 32, periodicity: .height),
    Shape(images: 5, height: 32, width: 32, inChannels: 17, outChannels: 64, periodicity: .both),
  ]

  @Test(arguments: shapes)
  func convolutionEqualsTheDirectSum(shape: Shape) {
    let (x, kernel, bias) = operands(shape)
    let y = convolve(shape, x: x, kernel: kernel, bias: bias, threads: 1)
    let expected = Reference.convolution(
      x: x.elements, kernel: kernel.elements, bias: bias.elements, geometry: shape.patches,
      outputChannels: shape.outChannels)
    #expect(relativeError(y.elements, expected) < Self.tolerance)
  }

  @Test(arguments: shapes)
  func backwardPassesEqualTheDirectSums(shape: Shape) {
    let (x, kernel, _) = operands(shape)
    let dy = normalTensor([shape.images, shape.height, shape.width, shape.outChannels], seed: 4)
    let expected = Reference.convolutionBackward(
      x: x.elements, kernel: kernel.elements, dy: dy.elements, geometry: shape.patches,
      outputChannels: shape.outChannels)
    let workers = WorkerPool(threadCount: 1)

    let dx = Tensor(uninitialised: x.shape)
    Winograd.propagateGradient(
      dy: dy.pointer, kernel: kernel.pointer, dx: dx.pointer, geometry: shape.winograd, workers: workers)
    #expect(relativeError(dx.elements, expected.dx) < Self.tolerance)

    // Accumulates: starts from ones.
    let dKernel = Tensor(repeating: 1, shape: kernel.shape)
    let imageSums = Tensor(repeating: .nan, shape: [shape.images, shape.outChannels])
    Winograd.accumulateKernelGradient(
      x: x.pointer, dy: dy.pointer, dKernel: dKernel.pointer, imageSums: imageSums.pointer, geometry: shape.winograd,
      workers: workers)
    #expect(relativeError(dKernel.elements, expected.dKernel.map { $0 + 1 }) < Self.tolerance)
    var sums = [Double](repeating: 0, count: imageSums.count)
    for (index, element) in dy.elements.enumerated() {
      let image = index / (dy.count / shape.images)
      sums[image * shape.outChannels + index % shape.outChannels] += Double(element)
    }
    #expect(relativeError(imageSums.elements, sums.map { Float($0) }) < Self.tolerance)
  }

  @Test(arguments: shapes)
  func addendsAreAdded(shape: Shape) {
    let (x, kernel, bias) = operands(shape)
    let perImage = normalTensor([shape.images, shape.outChannels], seed: 8)
    let plain = convolve(shape, x: x, kernel: kernel, bias: bias, threads: 1)
    let residual = normalTensor(plain.shape, seed: 9)
    let full = convolve(shape, x: x, kernel: kernel, bias: bias, perImage: perImage, residual: residual, threads: 1)
    let pixels = shape.height * shape.width
    let expected = plain.elements.indices.map { i in
      let image = i / (pixels * shape.outChannels)
      let added = perImage.pointer[image * shape.outChannels + i % shape.outChannels]
      return plain.pointer[i] + added + residual.pointer[i]
    }
    #expect(relativeError(full.elements, expected) < 1e-6)
  }

  @Test(arguments: shapes)
  func resultsDoNotDependOnTheThreadCount(shape: Shape) {
    let (x, kernel, bias) = operands(shape)
    let single = convolve(shape, x: x, kernel: kernel, bias: bias, threads: 1).elements
    for threads in [2, 3] {
      #expect(convolve(shape, x: x, kernel: kernel, bias: bias, threads: threads).elements == single)
    }
    let dy = normalTensor([shape.images, shape.height, shape.width, shape.outChannels], seed: 4)
    let gradients = [1, 2, 3].map { threads in
      let dKernel = Tensor(repeating: 0, shape: kernel.shape)
      let imageSums = Tensor(repeating: .nan, shape: [shape.images, shape.outChannels])
      Winograd.accumulateKernelGradient(
        x: x.pointer, dy: dy.pointer, dKernel: dKernel.pointer, imageSums: imageSums.pointer,
        geometry: shape.winograd, workers: WorkerPool(threadCount: threads))
      return dKernel.elements + imageSums.elements
    }
    #expect(gradients[0] == gradients[1] && gradients[0] == gradients[2])
  }

  @Test(arguments: Periodicity.allCases)
  func anImageDoesNotDependOnItsBatch(periodicity: Periodicity) {
    let shape = Shape(
      images: 7, height: 9, width: 6, inChannels: 24, outChannels: 40, periodicity: periodicity)
    let (x, kernel, bias) = operands(shape)
    let together = convolve(shape, x: x, kernel: kernel, bias: bias, threads: 1).elements
    let perImage = x.count / shape.images
    for image in 0..<shape.images {
      let alone = Shape(
        images: 1, height: 9, width: 6, inChannels: 24, outChannels: 40, periodicity: periodicity)
      let part = Tensor(Array(x.elements[image * perImage..<(image + 1) * perImage]), shape: [1, 9, 6, 24])
      let y = convolve(alone, x: part, kernel: kernel, bias: bias, threads: 1).elements
      #expect(y == Array(together[image * y.count..<(image + 1) * y.count]))
    }
  }

  private func operands(_ shape: Shape) -> (x: Tensor, kernel: Tensor, bias: Tensor) {
    (
      normalTensor([shape.images, shape.height, shape.width, shape.inChannels], seed: 1),
      normalTensor([3, 3, shape.inChannels, shape.outChannels], seed: 2), normalTensor([shape.outChannels], seed: 3)
    )
  }

  private func convolve(
    _ shape: Shape, x: Tensor, kernel: Tensor, bias: Tensor, perImage: Tensor? = nil, residual: Tensor? = nil,
    threads: Int
  ) -> Tensor {
    let workers = WorkerPool(threadCount: threads)
    let y = Tensor(uninitialised: [shape.images, shape.height, shape.width, shape.outChannels])
    Winograd.convolve(
      x: x.pointer, kernel: kernel.pointer, y: y.pointer, geometry: shape.winograd,
      bias: bias.pointer, perImage: perImage?.pointer, residual: residual?.pointer, workers: workers)
    return y
  }
}
