import Datasets
import Diffusion

extension ConfigurationKey {
  /// Random streams count steps in 32 bits.
  private static let maximumSteps = Int(UInt32.max)
  private static let maximumBatch = 1 << 20
  private static let maximumImages = 10_000_000
  private static let maximumSamplingSteps = 1_000_000

  /// Every key, in the order in which a configuration is written.
  public static let all: [ConfigurationKey] = [
    .init("seed", \.seed, .all, "seed of all random numbers"),

    .init(
      "data.name", \.data.name, .notEmpty,
      "data set to train on: \(DatasetCatalog.names.joined(separator: ", "))"),
    .init(
      "data.path", \.data.path, absent: "default", .notEmpty, mayChangeOnResume: true,
      "folder or file of the data set; default: where it is usually installed"),
    .init(
      "data.flip", \.data.flip, absent: "default", .all,
      "mirror images left to right at random; default: the data set's own choice"),
    .init(
      "data.background", \.data.background, absent: "none", .all,
      "what is behind transparent pixels of the files of data.name folder; none: there must be no such pixels"),
    .init(
      "data.channels", \.data.channels, absent: "default", .among([1, 3]),
      "make all image files of data.name folder grey or coloured; default: they must be of one kind"),
    .init(
      "data.orientation", \.data.orientation, .all,
      "whether image files of data.name folder are turned as EXIF says"),

    .init(
      "model.channels", \.model.channels, .within(1...65536), "channels of the first level, before its multiplier"),
    .init(
      "model.multipliers", \.model.multipliers, .list(of: .within(1...1024), counts: 1...16),
      "channels of each level, in multiples of model.channels; each further level halves the resolution"),
    .init("model.blocks", \.model.blocks, .within(1...64), "residual blocks per level"),
    .init(
      "model.attention_resolutions", \.model.attentionResolutions, .list(of: .within(1...65536), counts: 0...16),
      "widths in pixels of the levels that have self-attention"),
    .init(
      "model.heads", \.model.architecture.headCount, .within(1...65536),
      "heads of each attention, which share its channels equally"),
    .init(
      "model.head_channels", \.model.architecture.headChannels, absent: "none", .within(1...65536),
      "channels of each head, in the place of model.heads: attention of more channels has more heads"),
    .init(
      "model.dropout", \.model.dropout, .within(0...0.99), "probability that a residual block drops an activation"),
    .init("model.groups", \.model.groups, .within(1...65536), "groups of each group normalisation, at most"),
    .init(
      "model.group_channels", \.model.architecture.minimumChannelsPerGroup, .within(1...65536),
      "channels that each group must have at least: a layer with too few for model.groups has fewer groups"),
    .init(
      "model.classes", \.model.classes, absent: "none", .within(1...65536),
      "classes that the network is told of: as many as the data set has"),
    .init(
      "model.convolution", \.model.convolution, .all,
      "how 3x3 convolutions are computed; direct, for comparison: slower, without the rounding of Winograd's transforms"
    ),

    .init(
      "model.block", \.model.architecture.levelChange, .all,
      "what leads from one level to the next: ddpm a convolution, biggan a residual block that changes the size inside"),
    .init(
      "model.fir", \.model.architecture.smoothsResampling, .all,
      "smooth images with the filter [1, 3, 3, 1] where their size changes"),
    .init(
      "model.up_attention", \.model.architecture.upwardAttention, .all,
      "after which blocks of a level attention follows on the way up"),
    .init(
      "model.skip_rescale", \.model.architecture.rescalesSums, .all,
      "divide the sums of a block's result and its input by the root of 2"),
    .init(
      "model.attention_init_scale", \.model.architecture.attentionInitialScale, .within(1e-12...1e6),
      "variance of the initial matrices of attention's queries, keys and values, in units of DDPM's"),
    .init(
      "model.embedding", \.model.architecture.timeFeatures, .all,
      "how the network is told the time: sinusoidal features of the step, or Fourier features of random frequencies of the noise's logarithm"
    ),
    .init(
      "model.time_conditioning", \.model.architecture.timeConditioning, .all,
      "what a residual block does with the embedding of time and class: add it before the second normalisation, or scale and shift what that makes"
    ),
    .init(
      "model.fourier_scale", \.model.architecture.fourierScale, .within(1e-3...1000),
      "deviation of the random frequencies"),
    .init(
      "model.progressive_input", \.model.architecture.progressiveInput, .all,
      "what each level going down sees of the image: input-skip the image made smaller, residual a chain of convolutions of it"
    ),
    .init(
      "model.progressive_combine", \.model.architecture.combination, .all,
      "how input-skip joins the image with a level's values: added, or side by side"),
    .init(
      "model.progressive_output", \.model.architecture.progressiveOutput, .all,
      "what levels going up add to the output: output-skip an image each, residual a chain of convolutions"),
    .init(
      "model.scale_by_sigma", \.model.architecture.dividesOutputByNoise, .all,
      "divide the network's output by the noise's deviation; for ve and ve-sde with model.embedding fourier"),

    .init(
      "diffusion.process", \.diffusion.process, .all,
      "how images become noise: in steps (vp, ve) or in continuous time"),
    .init("diffusion.steps", \.diffusion.steps, .within(2...1_000_000), "steps T of the processes vp and ve"),
    .init(
      "diffusion.rescale_times", \.diffusion.rescaleTimes, .all,
      "tell the network the times of vp and ve as if there were 1000 steps, whatever diffusion.steps is"),
    .init("diffusion.schedule", \.diffusion.schedule, .all, "how the noise variance of vp grows over the steps"),
    .init(
      "diffusion.beta_first", \.diffusion.betaFirst, .between(0, 1), "noise variance of vp's first step, unless cosine"),
    .init(
      "diffusion.beta_last", \.diffusion.betaLast, .between(0, 1), "noise variance of vp's last step, unless cosine"),
    .init(
      "diffusion.zero_terminal_snr", \.diffusion.zeroTerminalSNR, .all,
      "rescale vp's variances so that the last step leaves nothing of the image; for prediction velocity and data"),
    .init(
      "diffusion.sigma_min", \.diffusion.sigmaMin, absent: "default", .above(0),
      "least noise of ve, ve-sde and edm; default: 0.01, for edm 0.002"),
    .init(
      "diffusion.sigma_max", \.diffusion.sigmaMax, absent: "default", .above(0),
      "most noise of ve, ve-sde and edm; default: 50, for edm 80"),
    .init(
      "diffusion.prediction", \.diffusion.prediction, .all,
      "what the network predicts; edm has a preconditioned output instead"),
    .init(
      "diffusion.scale_input", \.diffusion.scaleInput, .all,
      "bring noisy images of ve and ve-sde to the size of data before the network sees them"),
    .init("diffusion.loss", \.diffusion.loss, .all, "which errors count how much"),
    .init(
      "diffusion.time_sampling", \.diffusion.timeSampling, .all,
      "how often training draws each step of vp and ve: loss-aware draws more of those that count"),
    .init(
      "diffusion.variance", \.diffusion.variance, .all,
      "variance of the reverse steps of vp and ve: small is the posterior's, large is the forward step's; the network learns learned-range between these two, and learned freely"
    ),

    .init(
      "training.steps", \.training.steps, .within(1...maximumSteps), mayChangeOnResume: true,
      "optimiser steps of the whole run"),
    .init(
      "training.batch", \.training.batch, .within(1...maximumBatch), "images per optimiser step, over all ranks"),
    .init(
      "training.micro_batch", \.training.microBatch, .within(1...maximumBatch),
      "images per forward and backward pass, the unit that ranks share out"),
    .init(
      "training.label_dropout", \.training.labelDropout, .within(0..<1),
      "probability that an image's class is kept from the network, which classifier-free guidance needs"),
    .init(
      "training.recompute_activations", \.training.recomputeActivations, .all, mayChangeOnResume: true,
      "what the backward pass makes again to save memory: blocks are the residual blocks with their attention"),
    .init(
      "training.learning_rate", \.training.learningRate, .within(1e-12...1e40), mayChangeOnResume: true,
      "Adam's step size after the warm-up"),
    .init(
      "training.warmup_steps", \.training.warmupSteps, .within(0...maximumSteps), mayChangeOnResume: true,
      "steps over which the learning rate rises linearly from 0"),
    .init(
      "training.schedule", \.training.schedule, .all, mayChangeOnResume: true,
      "how the learning rate falls after the warm-up: cosine and linear to 0 at training.steps, inverse-sqrt as the root of the steps"
    ),
    .init(
      "training.decay_start", \.training.decayStart, absent: "default", .within(0...maximumSteps),
      mayChangeOnResume: true,
      "steps after which it begins to fall; default: those of the warm-up"),
    .init(
      "training.max_gradient_norm", \.training.maxGradientNorm, absent: "none", .within(1e-12...1e30),
      "larger gradients are scaled down to this Euclidean norm"),
    .init(
      "training.ema_decays", \.training.emaDecays, .list(of: .within(0...0.999_999), counts: 1...16),
      "decay per step of each moving average of the weights; samples come from the first"),
    .init(
      "training.ema_rampup", \.training.emaRampup, absent: "none", .above(0, atMost: 1000),
      "each average's half-life is at most this share of the steps done, so that none keeps the initial weights"),
    .init("training.adam_beta1", \.training.adamBeta1, .within(0..<1), "Adam's decay of the gradient's mean"),
    .init("training.adam_beta2", \.training.adamBeta2, .within(0..<1), "Adam's decay of the gradient's square"),
    .init(
      "training.adam_epsilon", \.training.adamEpsilon, .within(1e-30...1), "added to Adam's denominator"),
    .init(
      "training.overlap", \.training.overlap, .all, mayChangeOnResume: true,
      "move gradients and parameters between machines while the network computes"),
    .init(
      "training.wire", \.training.wire, .all,
      "how gradients travel between machines; bfloat16 takes half the bytes, and results then depend on how many machines there are"
    ),
    .init(
      "training.checkpoint_every", \.training.checkpointEvery, absent: "none", .within(1...maximumSteps),
      mayChangeOnResume: true,
      "steps between checkpoints; none: one after the last step only"),
    .init(
      "training.keep_checkpoints", \.training.keepCheckpoints, absent: "all", .within(1...maximumSteps),
      mayChangeOnResume: true,
      "newest checkpoints that are kept"),
    .init(
      "training.save_beside", \.training.saveBeside, .all, mayChangeOnResume: true,
      "write checkpoints while the next steps run, where there is memory for a copy of the state"),
    .init(
      "training.save_timeout_seconds", \.training.saveTimeoutSeconds, absent: "none", .above(0, atMost: 1e9),
      mayChangeOnResume: true,
      "seconds that a save may take before the job is ended, with exit status 6"),
    .init(
      "training.hang_timeout_seconds", \.training.hangTimeoutSeconds, absent: "none", .within(1...1e9),
      mayChangeOnResume: true,
      "seconds that a rank may be silent or without progress before the job is ended, with exit status 6"),
    .init(
      "training.time_limit_minutes", \.training.timeLimitMinutes, absent: "none", .above(0, atMost: 1e9),
      mayChangeOnResume: true,
      "minutes after which training saves and stops, with exit status 5, to be resumed"),
    .init(
      "training.log_every", \.training.logEvery, absent: "none", .within(1...maximumSteps),
      mayChangeOnResume: true,
      "steps between lines of the log and of metrics.jsonl; none: one after the last step only"),
    .init(
      "training.sample_every", \.training.sampleEvery, absent: "none", .within(1...maximumSteps),
      mayChangeOnResume: true,
      "steps between sample grids; there is one after the last step too, unless this is none"),
    .init(
      "training.tensorboard", \.training.tensorBoard, .all, mayChangeOnResume: true,
      "write what TensorBoard reads into the run's folder"),

    .init(
      "sampling.count", \.training.sampleCount, .within(1...65536), mayChangeOnResume: true, "images in a sample grid"),
    .init(
      "sampling.sampler", \.sampling.name, absent: "default", .all, mayChangeOnResume: true,
      "way from noise to images; default: ddpm, in continuous time euler-maruyama, for edm edm"),
    .init(
      "sampling.steps", \.sampling.steps, .within(1...maximumSamplingSteps), mayChangeOnResume: true,
      "steps from noise to an image; ddpm, ddim and dpm-solver++ spread them over diffusion.steps"),
    .init(
      "sampling.spacing", \.sampling.spacing, .all, mayChangeOnResume: true,
      "which of diffusion.steps ddpm, ddim and dpm-solver++ visit"),
    .init(
      "sampling.clip", \.sampling.clipsOriginal, .all, mayChangeOnResume: true,
      "clip the predicted image to [-1, 1] in each step"),
    .init(
      "sampling.variance", \.sampling.variance, absent: "default", .all, mayChangeOnResume: true,
      "variance of the reverse steps of ddpm, if it is another than that of training; default: diffusion.variance"),
    .init(
      "sampling.eta", \.sampling.eta, .within(0...1), mayChangeOnResume: true,
      "fresh noise of ddim: 0 adds none, 1 as much as ddpm with the small variance"),
    // Each Langevin step of a step has a stream of random numbers to itself.
    .init(
      "sampling.corrections", \.sampling.corrections, .within(0...maximumSamplingSteps), mayChangeOnResume: true,
      "Langevin steps of predictor-corrector and langevin at each time"),
    .init(
      "sampling.snr", \.sampling.signalToNoise, .above(0, atMost: 1e9), mayChangeOnResume: true,
      "how strong the noise of a Langevin step is beside its drift"),
    .init(
      "sampling.tolerance", \.sampling.tolerance, .above(0, atMost: 1e9), mayChangeOnResume: true,
      "error that ode-rk45 may make in a step"),
    .init(
      "sampling.churn", \.sampling.churn.amount, .within(0...1e9), mayChangeOnResume: true,
      "S_churn of edm: noise added and taken away on the way"),
    .init(
      "sampling.churn_min", \.sampling.churn.minimum, .within(0...1e9), mayChangeOnResume: true,
      "S_tmin of edm: no noise is added at lower levels"),
    .init(
      "sampling.churn_max", \.sampling.churn.upperLimit, absent: "none", .within(0...1e9), mayChangeOnResume: true,
      "S_tmax of edm: no noise is added at higher levels"),
    .init(
      "sampling.churn_noise", \.sampling.churn.inflation, .above(0, atMost: 1e9), mayChangeOnResume: true,
      "S_noise of edm: standard deviation of the noise that is added"),
    .init(
      "sampling.guidance", \.sampling.guidance, .within(-1e9...1e9), mayChangeOnResume: true,
      "how much more strongly than they would by themselves images are led to their class; 0 draws from the distribution of the class as it is"
    ),

    .init(
      "evaluation.every", \.evaluation.every, absent: "none", .within(1...maximumSteps), mayChangeOnResume: true,
      "steps between measurements of drawn images; the checkpoint of the best is kept as checkpoints/best.h5"),
    .init(
      "evaluation.count", \.evaluation.count, .within(10...maximumImages), mayChangeOnResume: true,
      "images to draw for each, as the keys of sampling say"),
    .init(
      "evaluation.features", \.evaluation.features, .notEmpty, mayChangeOnResume: true,
      "whose features are measured: inception, fashion-mnist-classifier, or a file by `ddpm-mpi export`"),
    .init(
      "evaluation.split", \.evaluation.split, .all, mayChangeOnResume: true,
      "images of the data set to compare with"),
    .init(
      "evaluation.reference_count", \.evaluation.referenceCount, absent: "all", .within(2...maximumImages),
      mayChangeOnResume: true,
      "how many of them, the first ones"),
  ]
}

extension EDMSampler.Churn {
  /// `maximum`; `nil`: no limit.
  fileprivate var upperLimit: Double? {
    get { maximum.isFinite ? maximum : nil }
    set { maximum = newValue ?? .infinity }
  }
}
