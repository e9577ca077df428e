import Network

extension Presets {
  /// The settings of the literature for CIFAR-10.
  static let cifar10: [Preset] = [ddpm, improvedDDPM] + scoreSDE + [edm]

  private static let ddpm = Preset(
    "cifar10", "CIFAR-10 as in the DDPM paper (Ho et al. 2020, appendix B)",
    publication: .init(
      paper: "Ho, Jain, Abbeel: Denoising diffusion probabilistic models, NeurIPS 2020, arXiv:2006.11239",
      figures: "table 1: FID 3.17, IS 9.46, NLL at most 3.75 bits per dimension")
  ) {
    base(&$0)
    $0.model.blocks = 2
    $0.diffusion.variance = .large
    $0.training.steps = 800_000
  }

  private static let improvedDDPM = Preset(
    "cifar10-improved", "CIFAR-10 with learned variances and the cosine schedule (Nichol and Dhariwal 2021)",
    publication: .init(
      paper: "Nichol, Dhariwal: Improved denoising diffusion probabilistic models, ICML 2021, arXiv:2102.09672",
      figures: "table 2, L_hybrid with 4000 steps and the cosine schedule: FID 3.19, NLL 3.17 bits per dimension",
      differences:
        "their code pads strided convolutions on all sides, uses PyTorch's initial values, slightly different "
        + "frequencies of the time embedding, and 1e-5 as epsilon of the normalisations")
  ) {
    base(&$0)
    $0.data.flip = false
    $0.model.blocks = 3
    $0.model.attentionResolutions = [16, 8]
    $0.model.architecture.headCount = 4
    $0.model.architecture.timeConditioning = .scaleShift
    $0.model.dropout = 0.3
    $0.diffusion.steps = 4000
    $0.diffusion.schedule = .cosine
    $0.diffusion.rescaleTimes = true
    $0.diffusion.variance = .learnedRange
    $0.diffusion.loss = .hybrid
    $0.training.steps = 500_000
    $0.training.learningRate = 1e-4
    $0.training.warmupSteps = 0
    $0.training.maxGradientNorm = nil
    $0.sampling.steps = 4000
  }

  // MARK: Score-based generative modeling through SDEs

  private static let scoreSDE = [
    song(
      "ddpmpp-vp", "DDPM++", "variance-preserving", .ddpmPlusPlus, .variancePreserving, isDeep: false,
      figures: "tables 2 and 3: FID 2.55, IS 9.58; by the probability flow FID 3.93, NLL 3.16 bits per dimension"),
    song(
      "ddpmpp-vp", "DDPM++", "variance-preserving", .ddpmPlusPlus, .variancePreserving, isDeep: true,
      figures: "tables 2 and 3: FID 2.41, IS 9.68; by the probability flow FID 3.08, NLL 3.13 bits per dimension"),
    song(
      "ddpmpp-subvp", "DDPM++", "sub-variance-preserving", .ddpmPlusPlus, .subVariancePreserving, isDeep: false,
      figures: "tables 2 and 3: FID 2.61, IS 9.56; by the probability flow FID 3.16, NLL 3.02 bits per dimension"),
    song(
      "ddpmpp-subvp", "DDPM++", "sub-variance-preserving", .ddpmPlusPlus, .subVariancePreserving, isDeep: true,
      figures: "tables 2 and 3: FID 2.41, IS 9.57; by the probability flow FID 2.92, NLL 2.99 bits per dimension"),
    ncsnPlusPlus(isDeep: false, figures: "table 3: FID 2.38, IS 9.83, by predictor and corrector"),
    ncsnPlusPlus(isDeep: true, figures: "table 3: FID 2.20, IS 9.89, by predictor and corrector"),
  ]

  private static let songPaper =
    "Song, Sohl-Dickstein, Kingma, Kumar, Ermon, Poole: Score-based generative modeling through stochastic differential "
    + "equations, ICLR 2021, arXiv:2011.13456"

  /// A network of the paper, or its deep variant, for a process in continuous time.
  private static func song(
    _ name: String, _ network: String, _ equation: String, _ architecture: UNetArchitecture,
    _ process: RunConfiguration.DiffusionSettings.Process, isDeep: Bool, figures: String, differences: String? = nil,
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) -> Preset {
    Preset(
      "cifar10-\(name)" + (isDeep ? "-deep" : ""),
      "CIFAR-10, \(network) cont.\(isDeep ? " (deep)" : ""), \(equation) SDE (Song et al. 2021)",
      publication: .init(paper: songPaper, figures: figures, differences: differences)
    ) {
      base(&$0)
      $0.model.architecture = architecture
      $0.model.blocks = isDeep ? 8 : 4
      $0.diffusion.process = process
      $0.training.steps = isDeep ? 950_000 : 1_300_000
      $0.training.microBatch = 8
      change(&$0)
    }
  }

  private static func ncsnPlusPlus(isDeep: Bool, figures: String) -> Preset {
    song(
      "ncsnpp-ve", "NCSN++", "variance-exploding", .ncsnPlusPlus, .varianceExploding, isDeep: isDeep, figures: figures,
      differences:
        "their network is conditioned on the logarithm of half the noise level, since their images are in [0, 1]; "
        + "this only shifts random phases"
    ) {
      // Theirs are 0.01 and 50, for images from 0 to 1.
      $0.diffusion.sigmaMin = 0.02
      $0.diffusion.sigmaMax = 100
      $0.diffusion.scaleInput = false
      $0.diffusion.prediction = .score
      $0.diffusion.loss = .scoreMatching
      // Their loss is half the sum over an image's 3072 elements, ours is the mean: gradients are 1536 times smaller.
      // With these two values the steps are the same.
      $0.training.maxGradientNorm = 1.0 / 1536
      $0.training.adamEpsilon = 1e-8 / 1536
      $0.training.emaDecays = [0.999]
    }
  }

  // MARK: EDM

  private static let edm = Preset(
    "cifar10-edm", "CIFAR-10 with EDM's preconditioning, loss and sampler (Karras et al. 2022)",
    publication: .init(
      paper:
        "Karras, Aittala, Aila, Laine: Elucidating the design space of diffusion-based generative models, NeurIPS 2022, "
        + "arXiv:2206.00364",
      figures: "table 2, configuration F, unconditional, VP: FID 1.97 with 35 evaluations",
      differences:
        "their code augments images by more than mirroring, and conditions the network on the augmentation")
  ) {
    base(&$0)
    $0.model.architecture = .ddpmPlusPlus
    // Theirs uses 0.2 as the variance of the initial matrices.
    $0.model.architecture.attentionInitialScale = 0.2
    $0.model.multipliers = [2, 2, 2]
    $0.model.blocks = 4
    $0.model.dropout = 0.13
    $0.diffusion.process = .edm
    $0.diffusion.loss = .edm
    // 200 and 10 million images, and a half-life of half a million.
    $0.training.batch = 512
    $0.training.microBatch = 8
    $0.training.steps = 390_625
    $0.training.warmupSteps = 19_531
    $0.training.learningRate = 1e-3
    $0.training.maxGradientNorm = nil
    $0.training.emaDecays = [0.99929]
    $0.sampling.steps = 18
    $0.sampling.clipsOriginal = false
  }

  /// What all of them have in common.
  private static func base(_ configuration: inout RunConfiguration) {
    configuration.data.name = "cifar10"
    configuration.data.flip = true
    configuration.model.channels = 128
    configuration.model.groups = 32
    configuration.model.multipliers = [1, 2, 2, 2]
    configuration.model.attentionResolutions = [16]
    configuration.model.dropout = 0.1
    configuration.training.batch = 128
    configuration.training.microBatch = 16
    configuration.training.learningRate = 2e-4
    configuration.training.warmupSteps = 5000
    configuration.training.emaDecays = [0.9999]
    configuration.training.checkpointEvery = 1000
    configuration.training.sampleEvery = 50_000
    configuration.sampling.steps = 1000
  }
}
