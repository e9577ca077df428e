import RealModule
import Tensors

/// Sinusoidal features of a timestep (Ho et al., arXiv:2006.11239, after Vaswani et al., arXiv:1706.03762, section 3.5).
package enum TimestepEmbedding {
  /// embedding[n] = [sin(t·f_0), sin(t·f_1), …, cos(t·f_0), cos(t·f_1), …] with t = timesteps[n],
  /// f_i = e^(−ln(10000)·i / (half − 1)) and half = dimension / 2; an odd dimension ends with a zero.
  ///
  /// Computed in double precision: single precision would be wrong by 6e-5 at an angle of 1000.
  ///
  /// - Parameter embedding: [timesteps.count, dimension]; overwritten.
  package static func embed(timesteps: [Float], into embedding: Tensor) {
    verify(embedding.shape.count == 2 && embedding.shape[0] == timesteps.count, "one row per timestep")
    let dimension = embedding.shape[1]
    let half = dimension / 2
    for i in 0..<half {
      let frequency = Double.exp(-Double.log(10000) * Double(i) / Double(max(half - 1, 1)))
      for (n, timestep) in timesteps.enumerated() {
        let angle = Double(timestep) * frequency
        embedding[n * dimension + i] = Float(Double.sin(angle))
        embedding[n * dimension + half + i] = Float(Double.cos(angle))
      }
    }
    if dimension % 2 == 1 {
      for n in timesteps.indices { embedding[n * dimension + dimension - 1] = 0 }
    }
  }

  /// embedding[n] = [sin(2π·f_0·v), sin(2π·f_1·v), …, cos(2π·f_0·v), cos(2π·f_1·v), …] with v = values[n]: Fourier features
  /// of random frequencies (Tancik et al., arXiv:2006.10739; Song et al., arXiv:2011.13456, appendix H).
  ///
  /// Computed in double precision, since angles are large.
  ///
  /// - Parameters:
  ///   - frequencies: a vector.
  ///   - embedding: [values.count, 2·frequencies.count]; overwritten.
  package static func embed(values: [Float], frequencies: Tensor, into embedding: Tensor) {
    verify(embedding.shape == [values.count, 2 * frequencies.count], "one row per value")
    let count = frequencies.count
    for (n, value) in values.enumerated() {
      for i in 0..<count {
        let angle = 2 * Double.pi * Double(frequencies[i]) * Double(value)
        embedding[2 * n * count + i] = Float(Double.sin(angle))
        embedding[(2 * n + 1) * count + i] = Float(Double.cos(angle))
      }
    }
  }
}
