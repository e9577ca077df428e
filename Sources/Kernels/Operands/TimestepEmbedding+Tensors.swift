import Tensors

extension TimestepEmbedding {
  /// Sines and cosines of each timestep at frequencies that fall from 1 to 1/10000 (Ho et al., arXiv:2006.11239).
  ///
  /// - Parameter embedding: [timesteps.count, dimension]; overwritten.
  public static func embed(timesteps: [Float], into embedding: Tensor) {
    verify(embedding.shape.count == 2 && embedding.shape[0] == timesteps.count, "one row per timestep")
    embed(
      timesteps: timesteps, count: timesteps.count, dimension: embedding.shape[1], into: embedding.pointer)
  }

  /// Fourier features of values at given frequencies (Tancik et al., arXiv:2006.10739; Song et al., arXiv:2011.13456,
  /// appendix H).
  ///
  /// - Parameters:
  ///   - frequencies: a vector.
  ///   - embedding: [values.count, 2·frequencies.count]; overwritten.
  public static func embed(values: [Float], frequencies: Tensor, into embedding: Tensor) {
    verify(embedding.shape == [values.count, 2 * frequencies.count], "one row per value")
    embed(
      values: values, count: values.count, frequencies: frequencies.pointer, frequencyCount: frequencies.count,
      into: embedding.pointer)
  }
}
