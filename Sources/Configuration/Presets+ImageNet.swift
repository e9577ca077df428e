extension Presets {
  /// The settings of the literature for ImageNet.
  static let imageNet = Preset(
    "imagenet64-adm", "ImageNet at 64x64 with its classes, 296 million parameters (Dhariwal and Nichol 2021)",
    publication: .init(
      paper: "Dhariwal, Nichol: Diffusion models beat GANs on image synthesis, NeurIPS 2021, arXiv:2105.05233",
      figures: "table 5, ADM (dropout) with 250 steps: FID 2.07, sFID 4.29, precision 0.74, recall 0.63",
      differences:
        "their code computes in 16 bits, uses PyTorch's initial values, slightly different frequencies of the time "
        + "embedding, and 1e-5 as epsilon of the normalisations, and averages weights without a ramp"),
    ownImageShape: [64, 64, 3]
  ) {
    $0.data.name = "hdf5"
    $0.data.flip = true
    $0.model.architecture = .adm
    $0.model.channels = 192
    $0.model.groups = 32
    $0.model.multipliers = [1, 2, 3, 4]
    $0.model.blocks = 3
    $0.model.attentionResolutions = [32, 16, 8]
    $0.model.classes = 1000
    $0.model.dropout = 0.1
    $0.diffusion.schedule = .cosine
    $0.diffusion.variance = .learnedRange
    // A thousandth of the bound, a sum over 1000 steps, is the mean over the steps that their code adds.
    $0.diffusion.loss = .hybrid
    $0.training.batch = 2048
    $0.training.microBatch = 8
    $0.training.steps = 540_000
    $0.training.learningRate = 3e-4
    $0.training.warmupSteps = 0
    $0.training.maxGradientNorm = nil
    $0.training.emaDecays = [0.9999]
    $0.training.checkpointEvery = 1000
    $0.training.sampleEvery = 20_000
    $0.sampling.steps = 250
  }
}
