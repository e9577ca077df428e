import DataParallel
import Optimisation
import Tensors
import Testing

private let block = ParameterLayout.blockSize

func gaussian(_ count: Int, sample: Int) -> Tensor {
  let tensor = Tensor(uninitialised: [count])
  RandomStream(seed: 77, purpose: .noise, sample: sample).fillNormal(tensor)
  return tensor
}

@Suite struct GradientNormTests {
  let gradients = gaussian(37 * block, sample: 3)

  @Test func isTheEuclideanNorm() {
    let sums = GradientNorm.blockSums(gradients, workers: WorkerPool(threadCount: 2))
    let expected = gradients.elements.reduce(0.0) { $0 + Double($1) * Double($1) }
    // 150 000 roundings of a sum in double precision, which mostly cancel.
    #expect(abs(MicroBatchTree.sum(sums) / expected - 1) < 1e-12)
  }

  @Test func neitherThreadsNorShardsChangeTheBits() {
    let whole = GradientNorm.blockSums(gradients, workers: WorkerPool(threadCount: 1))
    let cut = 11 * block
    let workers = WorkerPool(threadCount: 3)
    let parts =
      GradientNorm.blockSums(gradients[0..<cut], workers: workers)
      + GradientNorm.blockSums(gradients[cut..<gradients.count], workers: workers)
    #expect(whole == parts)
    #expect(whole.count == 37)
  }

  @Test func emptyShardHasNoSums() {
    #expect(GradientNorm.blockSums(gradients[0..<0], workers: WorkerPool(threadCount: 2)).isEmpty)
    #expect(MicroBatchTree.sum([]) == 0)
  }

  @Test func nanPropagatesToTheNormAndTheScale() {
    let broken = gradients.copied()
    broken[20 * block + 1] = .nan
    let sums = GradientNorm.blockSums(broken, workers: WorkerPool(threadCount: 1))
    #expect(MicroBatchTree.sum(sums).isNaN)
    #expect(GradientNorm.clippingScale(norm: .nan, maximum: 1).isNaN)
  }

  @Test func clippingScalesOnlyLargeNorms() {
    #expect(GradientNorm.clippingScale(norm: 4, maximum: 1) == 1 / (4 + 1e-6))
    #expect(GradientNorm.clippingScale(norm: 0.5, maximum: 1) == 1)
    #expect(GradientNorm.clippingScale(norm: 0, maximum: 1) == 1)
  }
}
