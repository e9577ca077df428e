import Kernels
import Tensors

extension Tape {
  /// Sines and cosines of 2π·frequency·value, [N, 2·frequencies]. The frequencies are constant: nothing is ever added
  /// to their gradient.
  ///
  /// - Parameters:
  ///   - values: N values.
  ///   - frequencies: a vector.
  package func fourierFeatures(of values: [Float], frequencies: ParameterEntry) -> Variable {
    let y = Tensor(uninitialised: [values.count, 2 * frequencies.count])
    profiler.measure(.fourierFeatures, Work(floats: values.count + frequencies.count + y.count)) {
      TimestepEmbedding.embed(values: values, frequencies: self.values(frequencies), into: y)
    }
    return record(y, inputs: [], parameters: [frequencies]) { _, _ in }
  }
}
