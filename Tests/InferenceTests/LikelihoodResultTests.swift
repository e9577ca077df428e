import Configuration
import Foundation
import Inference
import Testing

@Suite struct LikelihoodResultTests {
  private let result = LikelihoodResult(
    method: .bound, checkpoint: "runs/a/checkpoints/step-00000005.h5", dataset: "shapes", split: .test,
    parts: ["prior", "steps", "image"], bits: [0.1, 2, 1, 0.1, 3, 1.5, 0.1, 1, 0.5], evaluations: 1000)

  @Test func theMeanHasItsStandardError() {
    #expect(result.count == 3)
    #expect(abs(result.bitsPerDimension - 3.1) < 1e-12)
    // The images' 3.1, 4.6 and 1.6: a variance of 2.25.
    #expect(abs(result.standardError! - (2.25 / 3.0).squareRoot()) < 1e-12)
    let one = LikelihoodResult(
      method: .ode, checkpoint: "", dataset: "", split: .test, parts: ["density"], bits: [3], evaluations: 1)
    #expect(one.standardError == nil)
    #expect(one.text.hasPrefix("3.0000 bits per dimension (probability flow; 1 test image"))
  }

  @Test func resultIsOneLineOfJSON() throws {
    #expect(!(try result.json).contains("\n"))
    let line = try #require(try JSONSerialization.jsonObject(with: Data(try result.json.utf8)) as? [String: Any])
    #expect(line["method"] as? String == "bound")
    #expect(line["count"] as? Int == 3)
    #expect(abs((line["bits_per_dimension"] as? Double ?? 0) - 3.1) < 1e-12)
    let parts = try #require(line["parts"] as? [String: Double])
    #expect(abs(parts.values.reduce(0, +) - 3.1) < 1e-12)
  }
}
