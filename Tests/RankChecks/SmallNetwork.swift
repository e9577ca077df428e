import Configuration
import Tensors

func smallConfiguration() -> RunConfiguration {
  var configuration = RunConfiguration()
  configuration.model.multipliers = [1, 2]
  configuration.model.attentionResolutions = [4]
  configuration.model.dropout = 0.2
  configuration.training.batch = 8
  configuration.training.microBatch = 1
  return configuration
}

/// Values with which every parameter has an effect; with the initial ones, blocks are the identity.
func fillVisibly(_ parameters: Arena) {
  for (index, entry) in parameters.layout.entries.enumerated() {
    let values = parameters.tensor(entry)
    RandomStream(seed: 6, purpose: .initialisation, detail: index).fillNormal(values)
    let isNormScale = entry.order == .c && entry.name.contains("norm") && entry.name.hasSuffix("weight")
    let scale = entry.order == .c ? 0.1 : 1 / Float(entry.shape.dropLast().reduce(1, *)).squareRoot()
    for element in 0..<entry.count { values[element] = values[element] * scale + (isNormScale ? 1 : 0) }
  }
}
