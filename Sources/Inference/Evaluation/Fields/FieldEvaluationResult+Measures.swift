import Datasets
import FieldMeasures

extension FieldEvaluationResult {
  /// Adds measures of fields.
  ///
  /// - Parameters:
  ///   - variables: what the channels are.
  ///   - reference: with histograms of the same edges as those of `drawn`.
  ///   - ensembles: for the measures that need them; nil for a model without conditions.
  /// - Throws: `FieldMeasureError` if there are no fields, or too few members.
  package mutating func add(
    _ measures: [FieldMeasure], of variables: [FieldVariable], drawn: FieldDistribution, reference: FieldDistribution,
    ensembles: EnsembleSums? = nil
  ) throws {
    for (channel, variable) in variables.enumerated() {
      var measured = Variable(name: variable.name, units: variable.units)
      let sigma = reference.moments[channel].standardDeviation
      if measures.contains(.spectrum) {
        measured.spectrum = try Spectrum(drawn.spectra[channel], reference: reference.spectra[channel])
      }
      if measures.contains(.histogram) {
        measured.histogram = try Histograms(
          drawn.histograms[channel], reference: reference.histograms[channel], standardDeviation: sigma)
      }
      if measures.contains(.moments) {
        measured.moments = MomentPair(drawn: drawn.moments[channel], reference: reference.moments[channel])
      }
      if let ensembles {
        if measures.contains(.crps) {
          let crps = try CRPS(ensembles, channel: channel)
          measured.crps = crps
          measured.relativeCRPS = sigma > 0 ? (crps.fair ?? crps.standard) / sigma : nil
        }
        if measures.contains(.spreadSkill) { measured.spreadSkill = try SpreadSkill(ensembles, channel: channel) }
        if measures.contains(.rankHistogram) {
          measured.rankHistogram = try RankHistogram(ensembles, channel: channel)
        }
      }
      self.variables.append(measured)
    }
    for (own, real) in zip(drawn.crossSpectra, reference.crossSpectra) {
      crossSpectra.append(
        CrossSpectra(own, reference: real, spectra: reference.spectra, names: variables.map(\.name)))
    }
  }
}
