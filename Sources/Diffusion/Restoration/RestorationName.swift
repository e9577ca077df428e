/// The restoration methods, with the names used by `--method`.
package enum RestorationName: String, Sendable, CaseIterable {
  case imputation
  case repaint
  case dps
  case pigdm
  case sdedit

  /// A one-line description for users.
  package var summary: String {
    switch self {
    case .imputation: "predictor-corrector sampling; the known part is replaced after each step"
    case .repaint: "ancestral sampling; the known part is replaced, and steps are taken again"
    case .dps: "ancestral sampling with steps along the gradient of the residual"
    case .pigdm: "pseudo-inverse guidance of any sampler; the most accurate one"
    case .sdedit: "noise is added to the measured image and removed again"
    }
  }

  package var source: String {
    switch self {
    case .imputation: "Song et al. 2020, arXiv:2011.13456"
    case .repaint: "Lugmayr et al. 2022, arXiv:2201.09865"
    case .dps: "Chung et al. 2022, arXiv:2209.14687"
    case .pigdm: "Song, Vahdat, Mardani, Kautz, ICLR 2023"
    case .sdedit: "Meng et al. 2021, arXiv:2108.01073"
    }
  }

  /// The options that apply to it.
  package var options: Set<RestorationOption> {
    switch self {
    case .imputation: [.steps, .corrections, .signalToNoise]
    case .repaint: [.steps, .spacing, .variance, .jumpLength, .resamplings]
    case .dps: [.steps, .spacing, .variance, .scale]
    case .pigdm: [.steps, .spacing, .sampler, .sigmaData, .iterations]
    case .sdedit: [.steps, .spacing, .strength]
    }
  }

  /// Whether it differentiates the network, which takes more memory.
  package var differentiates: Bool { self == .dps || self == .pigdm }
  /// Whether measurements may have noise.
  package var acceptsNoise: Bool { self != .imputation && self != .repaint }
}

/// The options of restoration methods, named like those of the command.
package enum RestorationOption: String, Sendable, CaseIterable {
  case steps
  case spacing
  case variance
  case corrections
  case signalToNoise = "snr"
  case jumpLength = "jump_length"
  case resamplings
  case scale
  case sampler
  case sigmaData = "sigma_data"
  case iterations
  case strength
}
