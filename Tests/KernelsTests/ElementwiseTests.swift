import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct ElementwiseTests {
  @Test(arguments: [1, 16, 31, 70_001], TestData.pools.indices)
  func sumsAndMultiplesAreExact(_ count: Int, _ pool: Int) {
    let workers = TestData.pools[pool]
    let (a, b) = (TestData.normals(count), TestData.normals(count, seed: 2))
    let (left, right) = (Tensor(a, shape: [count]), Tensor(b, shape: [count]))
    let expected = zip(a, b).map { $0 + $1 }
    let added = TestData.filled(a, [count]) { Elementwise.add(right, into: $0, workers: workers) }
    let sum = TestData.written([count]) { Elementwise.sum(left, right, into: $0, workers: workers) }
    let scaled = TestData.filled(a, [count]) { Elementwise.multiple($0, by: 0.3, into: $0, workers: workers) }
    let multiple = TestData.written([count]) { Elementwise.multiple(left, by: 0.3, into: $0, workers: workers) }
    let scaledSum = TestData.written([count]) {
      Elementwise.scaledSum(left, right, by: 0.3, into: $0, workers: workers)
    }
    #expect(added.elementsEqual(expected) && sum.elementsEqual(expected))
    #expect(scaled.elementsEqual(a.map { $0 * 0.3 }) && multiple.elementsEqual(scaled))
    #expect(scaledSum.elementsEqual(expected.map { $0 * 0.3 }))
  }

  @Test(arguments: TestData.channelCounts, TestData.pools.indices)
  func biasIsAddedToEveryRow(_ channels: Int, _ pool: Int) {
    let workers = TestData.pools[pool]
    let rows = 700
    let a = TestData.normals(rows * channels)
    // A product with zero terms is the bias plus the addend.
    let bias = TestData.normals(channels, seed: 3)
    let biased = Tensor(a, shape: [rows, channels])
    MatrixProduct.multiply(
      Matrix(Tensor(shape: [rows, 0])), Matrix(Tensor(shape: [0, channels])), into: Matrix(biased),
      bias: Tensor(bias, shape: [channels]), addend: Matrix(biased), workers: workers)
    let expectedBiased: [Float] = a.indices.map { a[$0] + bias[$0 % channels] }
    #expect(biased.elements == expectedBiased)
  }

  @Test(arguments: TestData.channelCounts) func sumsOfRowsAreAccurateForAnyThreadCount(_ channels: Int) {
    let rows = 5003
    let x = TestData.normals(rows * channels).map { $0 + 1 }
    var expected = [Double](repeating: 0.25, count: channels)
    for index in x.indices { expected[index % channels] += Double(x[index]) }
    let results = TestData.pools.map { pool in
      TestData.filled([Float](repeating: 0.25, count: channels), [channels]) {
        Rows.sumOfRows(Tensor(x, shape: [rows, channels]), accumulatingInto: $0, workers: pool)
      }
    }
    // Relative to a sum of about 5003: blocks of up to 5003 / 4 additions per lane, whose rounding errors add up like a
    // random walk.
    let tolerance = 5003 * 35 * 0x1p-24
    #expect(TestData.largestDifference(results[0].map { Double($0) }, expected) < tolerance)
    #expect(TestData.sameBits(results[0], results[1]) && TestData.sameBits(results[0], results[2]))
  }

  @Test(arguments: TestData.channelCounts, [1, 35, 1024])
  func embeddingsAreAddedToEveryPixelAndSummedBack(_ channels: Int, _ pixels: Int) {
    let images = 3
    let x = TestData.normals(images * pixels * channels)
    let e = TestData.normals(images * channels, seed: 2)
    var expectedSums = [Double](repeating: 0, count: images * channels)
    for index in x.indices {
      expectedSums[index / (pixels * channels) * channels + index % channels] += Double(x[index])
    }
    let batch = Tensor(x, shape: [images, pixels, channels])
    let sums = TestData.pools.map { pool in
      TestData.written([images, channels]) { Rows.sumOverPixels(batch, into: $0, workers: pool) }
    }
    // 1024 numbers of order one.
    #expect(TestData.largestDifference(sums[0].map { Double($0) }, expectedSums) < 1024 * 8 * 0x1p-24)
    #expect(TestData.sameBits(sums[0], sums[1]) && TestData.sameBits(sums[0], sums[2]))
    let count = pixels * channels
    let alone = TestData.written([1, channels]) {
      Rows.sumOverPixels(batch[1..<2], into: $0, workers: TestData.pools[0])
    }
    #expect(TestData.sameBits(alone, Array(sums[0][channels..<2 * channels])))
    let expectedAdded: [Float] = x.indices.map { x[$0] + e[$0 / count * channels + $0 % channels] }
    for pool in TestData.pools {
      let added = TestData.filled(x, batch.shape) {
        Rows.addPerImage(Tensor(e, shape: [images, channels]), to: $0, workers: pool)
      }
      #expect(added.elementsEqual(expectedAdded))
    }
  }

  @Test(arguments: [1, 2, 3, 32, 128]) func timestepEmbeddingEqualsTheReference(_ dimension: Int) {
    let timesteps: [Float] = [0, 1, 17, 500.5, 999]
    let embedding = TestData.written([timesteps.count, dimension]) {
      TimestepEmbedding.embed(timesteps: timesteps, into: $0)
    }
    let expected = Reference.timestepEmbedding(timesteps: timesteps.map { Double($0) }, dimension: dimension)
    // One rounding to a float of at most one.
    #expect(TestData.largestDifference(embedding.map { Double($0) }, expected) <= 0x1p-24)
  }

  @Test func timestepEmbeddingHasSinesThenCosinesFromFastToSlow() {
    let embedding = TestData.written([1, 4]) { TimestepEmbedding.embed(timesteps: [2], into: $0) }
    // sin 2, sin(2/10000), cos 2, cos(2/10000).
    let expected: [Float] = [0.909_297_43, 0.000_2, -0.416_146_84, 0.999_999_98]
    #expect(TestData.largestDifference(embedding, expected) < 1e-7)
  }
}
