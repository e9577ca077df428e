import Kernels
import ReferenceKernels
import Tensors
import Testing

@Suite struct DropoutTests {
  /// Makes the mask visible: a group norm of normal numbers, whose outputs are zero only where elements are dropped.
  static func kept(_ dropout: Dropout, images: Int, pixels: Int, channels: Int, pool: WorkerPool) -> [Bool] {
    let geometry = GroupNormGeometry(images: images, pixels: pixels, channels: channels, groups: 1, epsilon: 1e-5)
    let x = TestData.normals(images * pixels * channels)
    let result = GroupNormRun.forward(
      x: x, scale: [Float](repeating: 0, count: channels), offset: [Float](repeating: 1, count: channels), geometry,
      .identity, dropout, pool)
    return result.y.map { $0 != 0 }
  }

  @Test(arguments: [(1, 1), (7, 3), (33, 20), (16, 32), (300, 100), (64, 128)])
  func maskIsTheDocumentedFunctionOfPosition(pixels: Int, channels: Int) {
    let dropout = Dropout(probability: 0.3, seed: 99, step: 5, firstSample: 11, layer: 7)
    let expected = Reference.dropoutMultipliers(dropout, images: 3, count: pixels * channels).map { $0 != 0 }
    for pool in TestData.pools {
      let kept = Self.kept(dropout, images: 3, pixels: pixels, channels: channels, pool: pool)
      #expect(kept.elementsEqual(expected))
    }
  }

  @Test func keepRateIsOneMinusTheProbability() {
    let count = 1 << 18
    for probability in [Float(0), 0.1, 0.5, 0.9] {
      let dropout = Dropout(probability: probability, seed: 3, step: 0, firstSample: 0, layer: 0)
      let multipliers = Reference.dropoutMultipliers(dropout, images: 1, count: count)
      let rate = Double(multipliers.count { $0 != 0 }) / Double(count)
      // Five standard deviations of a binomial proportion, and the threshold's rounding.
      let standardDeviation = (Double(probability) * (1 - Double(probability)) / Double(count)).squareRoot()
      #expect(abs(rate - (1 - Double(probability))) <= 5 * standardDeviation + 0x1p-16)
      #expect(abs(Double(dropout.keptScale) * (1 - Double(probability)) - 1) < 1e-4)
    }
  }

  @Test func masksOfSamplesLayersStepsAndSeedsDiffer() {
    let base = Dropout(probability: 0.5, seed: 1, step: 1, firstSample: 1, layer: 1)
    var others = [base, base, base, base]
    others[0].seed = 2
    others[1].step = 2
    others[2].firstSample = 2
    others[3].layer = 2
    let mask = Reference.dropoutMultipliers(base, images: 1, count: 64)
    for other in others { #expect(Reference.dropoutMultipliers(other, images: 1, count: 64) != mask) }
  }

  @Test func maskDependsOnTheSampleNotOnItsIndexInTheBatch() {
    let whole = Dropout(probability: 0.2, seed: 1, step: 4, firstSample: 10, layer: 2)
    var part = whole
    part.firstSample = 12
    let all = Self.kept(whole, images: 3, pixels: 9, channels: 20, pool: TestData.pools[0])
    let last = Self.kept(part, images: 1, pixels: 9, channels: 20, pool: TestData.pools[0])
    #expect(Array(all[(2 * 180)...]) == last)
  }
}
