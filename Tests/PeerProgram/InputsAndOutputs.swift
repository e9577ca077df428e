import Evaluation
import Foundation
import Interchange
import Tensors

/// The tensor `features` of a safetensors file, [N, D].
func features(in path: String) throws -> Features {
  let file = try Safetensors(readingFrom: path)
  let values = try file.floats("features")
  guard let shape = file["features"]?.shape, shape.count == 2, shape[1] > 0 else {
    throw InterchangeError(path, "its features are no matrix", advice: "store them as [N, D]")
  }
  return Features(values, dimension: shape[1])
}

/// The result of a subcommand, and its time.
struct Answer<Result: Encodable>: Encodable {
  let result: Result
  /// Without reading and writing files.
  let seconds: Double

  init(_ body: () throws -> Result) rethrows {
    let clock = ContinuousClock()
    let start = clock.now
    result = try body()
    seconds = (clock.now - start).inSeconds
  }
}

/// Prints one line; numbers are exact.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = .sortedKeys
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
