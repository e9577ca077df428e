/// The distribution of the noise levels that the loss `edm` trains: log σ ~ N(P_mean, P_std²) (Karras et al.,
/// arXiv:2206.00364, table 1). They should be those at which the data's details disappear: data with large structures,
/// such as fields with steep spectra, need larger ones than photographs.
package struct NoiseLevels: Sendable, Equatable {
  /// P_mean.
  package var mean = -1.2
  /// P_std.
  package var standardDeviation = 1.2

  package init() {}
}
