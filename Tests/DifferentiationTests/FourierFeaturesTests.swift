import Differentiation
import Glibc
import Tensors
import Testing

@Suite struct FourierFeaturesTests {
  @Test func featuresAreSinesAndCosinesOfTheAngles() {
    let parameters = TestParameters([[5]])
    let tape = Tape(inferenceWith: parameters.values, workers: WorkerPool(threadCount: 1))
    let values: [Float] = [-4.6, 0, 3.9]
    let features = tape.fourierFeatures(of: values, frequencies: parameters.entries[0]).value
    #expect(features.shape == [3, 10])
    let expected = values.flatMap { value in
      let angles = parameters.doubles[0].map { 2 * Double.pi * $0 * Double(value) }
      return angles.map { sin($0) } + angles.map { cos($0) }
    }
    // Rounded once.
    #expect(TestData.relativeError(features.elements, expected) <= 0x1p-24)
  }

  @Test func frequenciesGetNoGradientButAreReportedFinal() {
    let parameters = TestParameters([[3], [6, 2], [2]])
    let tape = Tape(
      recordingWith: parameters.values, gradients: parameters.gradients, workers: WorkerPool(threadCount: 1))
    var announced: [String] = []
    tape.parameterGradientIsFinal = { announced.append($0.name) }
    let features = tape.fourierFeatures(of: [0.3, 1.5], frequencies: parameters.entries[0])
    let result = tape.pointwise(features, matrix: parameters.entries[1], bias: parameters.entries[2])
    tape.unwind(from: result, seed: TestData.normals([2, 2], seed: 9))
    #expect(parameters.gradientElements[0].allSatisfy { $0 == 0 })
    #expect(parameters.gradientElements[1].contains { $0 != 0 })
    #expect(Set(announced) == ["parameter-0", "parameter-1", "parameter-2"] && announced.count == 3)
  }
}
