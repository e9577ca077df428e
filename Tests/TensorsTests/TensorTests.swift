import Tensors
import Testing

@Suite struct TensorTests {
  @Test func viewsShareTheElements() {
    let images = Tensor((0..<24).map(Float.init), shape: [3, 2, 2, 2])
    images[image: 1].fill(-1)
    images[2..<3].reshaped([4, 2])[1..<2].copy([50, 60])
    #expect(images[image: 1].shape == [2, 2, 2] && images[2..<3].shape == [1, 2, 2, 2])
    let expected: [Float] = [0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1, 16, 17, 50, 60, 20, 21, 22, 23]
    #expect(images.elements == expected)
    #expect(images.buffer[8..<10].elements == [-1, -1])
    let copy = images.copied()
    images.fill(0)
    #expect(copy[19] == 60 && images[19] == 0)
  }

  @Test func vectorsAreConsecutiveElements() {
    let numbers = Tensor((0..<20).map(Float.init), shape: [20])
    let vector: SIMD8<Float> = numbers[vector: 12]
    #expect(vector == SIMD8(12, 13, 14, 15, 16, 17, 18, 19))
    numbers[vector: 1] = SIMD4<Float>(repeating: 7)
    #expect(numbers.elements[..<6] == [0, 7, 7, 7, 7, 5])
  }

  @Test func nonFiniteNumbersAreFoundAnywhere() {
    for count in [1, 15, 16, 17, 40] {
      let numbers = Tensor(repeating: -.greatestFiniteMagnitude, shape: [count])
      #expect(numbers.isFinite)
      for (index, value) in [(0, Float.nan), (count / 2, .infinity), (count - 1, -.infinity)] {
        let broken = numbers.copied()
        broken[index] = value
        #expect(!broken.isFinite, "\(value) at \(index) of \(count)")
      }
    }
    #expect(Tensor(shape: [0]).isFinite)
  }

  @Test func aTensorStaysAliveWhileItsBytesAreUsed() {
    func sum() -> Int {
      ByteTensor(repeating: 3, shape: [1000]).withUnsafeBytes { bytes in
        // This tensor would get the memory if it were free.
        ByteTensor(repeating: 9, shape: [1000]).fill(8)
        return bytes.reduce(0) { $0 + Int($1) }
      }
    }
    #expect(sum() == 3000)
  }

  @Test func elementsOutOfBoundsAreRefused() async {
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [2, 3])[6] }
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [2, 3])[-1] }
    await #expect(processExitsWith: .failure) { Tensor(shape: [8])[2..<4][2] = 1 }
    await #expect(processExitsWith: .failure) { Buffer(repeating: 0, count: 5)[5] = 1 }
    await #expect(processExitsWith: .failure) {
      let _: SIMD4<Float> = Tensor(shape: [8])[vector: 5]
    }
  }

  @Test func viewsThatDoNotFitAreRefused() async {
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [2, 3])[1..<3] }
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [2, 3]).reshaped([5]) }
    await #expect(processExitsWith: .failure) { _ = FloatBuffer(count: 6)[3..<7] }
    await #expect(processExitsWith: .failure) { _ = Tensor(shape: [6], buffer: FloatBuffer(count: 6), offset: -1) }
    await #expect(processExitsWith: .failure) { Tensor(shape: [4]).copy(Tensor(shape: [3])) }
    await #expect(processExitsWith: .failure) { Tensor(shape: [4]).copy([1, 2, 3]) }
  }
}
