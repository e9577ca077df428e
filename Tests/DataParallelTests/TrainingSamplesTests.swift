import DataParallel
import Diffusion
import Tensors
import Testing

@Suite struct TrainingSamplesTests {
  /// Sample n has the values 100·n + 10·pixel + channel, with two drawn channels and one given.
  private let values = Tensor((0..<54).map(Self.value), shape: [3, 2, 3, 3])

  private static func value(_ position: Int) -> Float {
    let (sample, pixel, channel) = (position / 18, position / 3 % 6, position % 3)
    return Float(100 * sample + 10 * pixel + channel)
  }

  @Test func theLastChannelsAreGiven() throws {
    let samples = TrainingSamples(
      values, conditionChannels: 1, classes: [4, nil, 2], hidesFields: { $0 == 1 },
      workers: WorkerPool(threadCount: 2))
    #expect(samples.images.shape == [3, 2, 3, 2])
    #expect(samples.conditions.classes == [4, nil, 2])
    let fields = try #require(samples.conditions.fields)
    #expect(fields.shape == [3, 2, 3, 1])
    for sample in 0..<3 {
      for pixel in 0..<6 {
        let position = 6 * sample + pixel
        let first = Float(100 * sample + 10 * pixel)
        #expect(samples.images[2 * position] == first && samples.images[2 * position + 1] == first + 1)
        #expect(fields[position] == (sample == 1 ? 0 : first + 2))
      }
    }
  }

  @Test func withoutGivenChannelsTheImagesAreTheSamplesThemselves() {
    let samples = TrainingSamples(
      values, conditionChannels: 0, classes: nil, hidesFields: { _ in true }, workers: .callingThread)
    #expect(samples.images.buffer === values.buffer)
    #expect(samples.conditions.fields == nil && samples.conditions.classes == nil)
  }
}
