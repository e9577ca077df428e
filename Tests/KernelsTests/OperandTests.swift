import Kernels
import Tensors
import Testing

/// Kernels are compiled without checks of their own; the functions that take tensors make them.
@Suite struct OperandTests {
  @Test func operandsOfDifferentSizesAreRefused() async {
    await #expect(processExitsWith: .failure) {
      Elementwise.add(Tensor(shape: [4]), into: Tensor(shape: [5]), workers: .callingThread)
    }
    await #expect(processExitsWith: .failure) {
      BFloat16.round(Tensor(shape: [4]), into: TypedTensor(shape: [3]))
    }
    await #expect(processExitsWith: .failure) {
      BFloat16.widen(TypedTensor(shape: [3]), into: Tensor(shape: [4]))
    }
    await #expect(processExitsWith: .failure) {
      BFloat16.roundInPlace(Tensor(shape: [4]), copyingTo: TypedTensor(shape: [5]), workers: .callingThread)
    }
  }

  @Test func productsOfOtherShapesAreRefused() async {
    await #expect(processExitsWith: .failure) {
      MatrixProduct.multiply(
        Matrix(Tensor(shape: [2, 3])), Matrix(Tensor(shape: [4, 5])), into: Matrix(Tensor(shape: [2, 5])),
        workers: .callingThread)
    }
    await #expect(processExitsWith: .failure) {
      MatrixProduct.multiply(
        Matrix(Tensor(shape: [2, 3])), Matrix(Tensor(shape: [3, 5])), into: Matrix(Tensor(shape: [5, 2])).transposed,
        workers: .callingThread)
    }
    await #expect(processExitsWith: .failure) {
      PreciseProduct.add(
        Matrix(Tensor(shape: [2, 3])), Matrix(Tensor(shape: [3, 5])), to: TypedTensor(shape: [2, 4]),
        workers: .callingThread)
    }
    await #expect(processExitsWith: .failure) { _ = Matrix(Tensor(shape: [2, 3])).rows(1..<3) }
    await #expect(processExitsWith: .failure) { _ = Matrix(Tensor(shape: [2, 3])).columns(-1..<2) }
  }

  @Test func kernelsAndStatisticsOfOtherShapesAreRefused() async {
    await #expect(processExitsWith: .failure) {
      ConvolutionMethod.winograd.convolve(
        Tensor(shape: [1, 4, 4, 2]), kernel: Tensor(shape: [3, 3, 2, 2]), into: Tensor(shape: [1, 4, 4, 3]),
        workers: .callingThread)
    }
    await #expect(processExitsWith: .failure) {
      Attention.forward(
        query: Tensor(shape: [1, 4, 8]), key: Tensor(shape: [1, 4, 8]), value: Tensor(shape: [1, 4, 4]),
        into: Tensor(shape: [1, 4, 8]), heads: 2, workers: .callingThread)
    }
    await #expect(processExitsWith: .failure) {
      GroupNorm.forward(
        x: [Tensor(shape: [1, 4, 8])], scale: Tensor(shape: [4]), offset: Tensor(shape: [8]),
        into: Tensor(shape: [1, 4, 8]), statistics: GroupStatistics(images: 1, groups: 2, epsilon: 1e-5),
        activation: .identity, dropout: nil, workers: .callingThread)
    }
  }
}
