/// What the layers and blocks of a network need for declaring their parameters, one after another.
struct BlockBuilder {
  let configuration: UNetConfiguration
  var declarations = ParameterDeclarations()
  /// The number of residual blocks so far.
  var blockCount = 0

  init(_ configuration: UNetConfiguration) { self.configuration = configuration }

  var architecture: UNetArchitecture { configuration.architecture }

  func hasAttention(level: Int) -> Bool {
    configuration.attentionResolutions.contains(configuration.imageHeight >> level)
  }

  func sizeChange(_ direction: SizeChange.Direction) -> SizeChange {
    SizeChange(
      direction: direction, filter: architecture.resamplingFilter, periodicity: configuration.periodicity)
  }
}
