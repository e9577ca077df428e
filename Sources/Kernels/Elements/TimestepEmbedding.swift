import RealModule

/// Sinusoidal features of a timestep (Ho et al., arXiv:2006.11239, after Vaswani et al., arXiv:1706.03762, section 3.5).
public enum TimestepEmbedding {
  /// embedding[n] = [sin(t·f_0), sin(t·f_1), …, cos(t·f_0), cos(t·f_1), …] with t = timesteps[n],
  /// f_i = e^(−ln(10000)·i / (half − 1)) and half = dimension / 2; an odd dimension ends with a zero.
  ///
  /// Computed in double precision: single precision would be wrong by 6e-5 at an angle of 1000.
  ///
  /// - Parameters:
  ///   - timesteps: [count].
  ///   - embedding: [count, dimension]; overwritten.
  package static func embed(
    timesteps: UnsafePointer<Float>, count: Int, dimension: Int, into embedding: UnsafeMutablePointer<Float>
  ) {
    let half = dimension / 2
    for i in 0..<half {
      let frequency = Double.exp(-Double.log(10000) * Double(i) / Double(max(half - 1, 1)))
      for n in 0..<count {
        let angle = Double(timesteps[n]) * frequency
        embedding[n * dimension + i] = Float(Double.sin(angle))
        embedding[n * dimension + half + i] = Float(Double.cos(angle))
      }
    }
    if dimension % 2 == 1 {
      for n in 0..<count { embedding[n * dimension + dimension - 1] = 0 }
    }
  }

  /// embedding[n] = [sin(2π·f_0·v), sin(2π·f_1·v), …, cos(2π·f_0·v), cos(2π·f_1·v), …] with v = values[n]: Fourier features
  /// of random frequencies (Tancik et al., arXiv:2006.10739; Song et al., arXiv:2011.13456, appendix H).
  ///
  /// Computed in double precision, since angles are large.
  ///
  /// - Parameters:
  ///   - values: [count].
  ///   - frequencies: [frequencyCount].
  ///   - embedding: [count, 2·frequencyCount]; overwritten.
  package static func embed(
    values: UnsafePointer<Float>, count: Int, frequencies: UnsafePointer<Float>, frequencyCount: Int,
    into embedding: UnsafeMutablePointer<Float>
  ) {
    for n in 0..<count {
      let row = embedding + n * 2 * frequencyCount
      for i in 0..<frequencyCount {
        let angle = 2 * Double.pi * Double(frequencies[i]) * Double(values[n])
        row[i] = Float(Double.sin(angle))
        row[frequencyCount + i] = Float(Double.cos(angle))
      }
    }
  }
}
