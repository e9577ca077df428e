import Kernels
import ReferenceKernels
import Tensors

/// Random operands of a convolution, and its results by the definition. Tests of a method add its results.
struct ConvolutionOperands {
  let geometry: Winograd.Geometry
  let x: Tensor
  let kernel: Tensor
  let bias: Tensor
  let dy: Tensor

  /// - Parameter areRounded: whether x, the kernel and dy are bfloat16 numbers: those nearest to what they are
  ///   otherwise.
  init(_ geometry: Winograd.Geometry, areRounded: Bool = false) {
    func operand(_ shape: [Int], seed: UInt64) -> Tensor {
      let normals = normalTensor(shape, seed: seed)
      guard areRounded else { return normals }
      let halves = TypedTensor<UInt16>(uninitialised: shape)
      BFloat16.round(normals, into: halves)
      BFloat16.widen(halves, into: normals)
      return normals
    }
    self.geometry = geometry
    let factor = geometry.enlargesInput ? 2 : 1
    x = operand([geometry.images, geometry.height / factor, geometry.width / factor, geometry.inChannels], seed: 1)
    kernel = operand([3, 3, geometry.inChannels, geometry.outChannels], seed: 2)
    bias = normalTensor([geometry.outChannels], seed: 3)
    dy = operand([geometry.images, geometry.height, geometry.width, geometry.outChannels], seed: 4)
  }

  /// One of several images.
  init(_ geometry: Winograd.Geometry, image: Int, of all: ConvolutionOperands) {
    func part(_ tensor: Tensor) -> Tensor {
      let count = tensor.count / tensor.shape[0]
      return Tensor(Array(tensor.elements[image * count..<(image + 1) * count]), shape: [1] + tensor.shape.dropFirst())
    }
    self.geometry = geometry
    x = part(all.x)
    kernel = all.kernel
    bias = all.bias
    dy = part(all.dy)
  }

  /// Memory for the sums that are computed with the kernel's gradient.
  var imageSums: Tensor { Tensor(repeating: .nan, shape: [geometry.images, geometry.outChannels]) }

  /// The convolution with bias.
  var result: [Float] {
    Reference.convolution(
      x: enlargedX, kernel: kernel.elements, bias: bias.elements, geometry: geometry.patches,
      outputChannels: geometry.outChannels)
  }

  /// The gradients with respect to x and the kernel.
  var gradients: (dx: [Float], dKernel: [Float]) {
    let enlarged = Reference.convolutionBackward(
      x: enlargedX, kernel: kernel.elements, dy: dy.elements, geometry: geometry.patches,
      outputChannels: geometry.outChannels)
    let dx =
      geometry.enlargesInput
      ? Reference.upsampleNearestBackward(
        dy: enlarged.dx, images: geometry.images, height: geometry.height / 2, width: geometry.width / 2,
        channels: geometry.inChannels) : enlarged.dx
    return (dx, enlarged.dKernel)
  }

  /// The input of the plain convolution.
  private var enlargedX: [Float] {
    geometry.enlargesInput
      ? Reference.upsampleNearest(
        x: x.elements, images: geometry.images, height: geometry.height / 2, width: geometry.width / 2,
        channels: geometry.inChannels) : x.elements
  }
}

extension Winograd.Geometry {
  /// The geometry of the convolution after enlarging.
  var patches: PatchGeometry {
    PatchGeometry(
      images: images, height: height, width: width, channels: inChannels, kernelSize: 3, pad: 1,
      periodicity: periodicity)
  }
}
