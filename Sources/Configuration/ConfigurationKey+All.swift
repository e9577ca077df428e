import Datasets
import Diffusion

extension ConfigurationKey {
  /// Random streams count steps in 32 bits.
  private static let maximumSteps = Int(UInt32.max)
  private static let maximumBatch = 1 << 20
  private static let maximumImages = 10_000_000
  private static let maximumSamplingSteps = 1_000_000

  /// Every key, in the order in which a configuration is written.
  package static let all: [ConfigurationKey] = [
    .init("seed", \.seed, .all, "seed of all random numbers"),

    .init(
      "data.name", \.data.name, .notEmpty,
      "data set to train on, or the format of your own: \(DatasetCatalog.names.joined(separator: ", "))"),
    .init(
      "data.path", \.data.path, absent: "default", .notEmpty, mayChangeOnResume: true,
      "folder or file of the data set; default: its usual location"),
    .init(
      "data.flip", \.data.flip, absent: "default", .all,
      "mirror images horizontally at random; default: as the data set says"),
    .init(
      "data.background", \.data.background, absent: "none", .all,
      "background behind transparent pixels, with data.name=folder; none: no pixel may be transparent"),
    .init(
      "data.channels", \.data.channels, absent: "default", .within(1...64),
      "with data.name=folder, convert all image files to grey (1) or colour (3), default: all must be of one kind; with data.name=gaussian-field, the number of variables, default: 1"
    ),
    .init(
      "data.orientation", \.data.orientation, .all,
      "whether image files are turned upright as EXIF says, with data.name=folder"),
    .init(
      "data.conditions", \.data.conditions, .list(of: .notEmpty, counts: 0...1024),
      "channels that are given to the network, which draws the others: names of variables of fields, or grey for the grey value of colour images"
    ),
    .init(
      "data.normalisation", \.data.normalisation, .all,
      "how fields are normalised, with data.name=hdf5 or gaussian-field: standard to mean 0 and standard deviation 1, range to [-1, 1], each variable by itself"
    ),

    .init(
      "model.channels", \.model.channels, .within(1...65536), "channels of the first level, before its multiplier"),
    .init(
      "model.multipliers", \.model.multipliers, .list(of: .within(1...1024), counts: 1...16),
      "channels of each level, in multiples of model.channels; each level after the first halves the resolution"),
    .init("model.blocks", \.model.blocks, .within(1...64), "residual blocks per level"),
    .init(
      "model.attention_resolutions", \.model.attentionResolutions, .list(of: .within(1...65536), counts: 0...16),
      "widths in pixels of the levels with self-attention"),
    .init(
      "model.heads", \.model.architecture.headCount, .within(1...65536),
      "heads of each attention layer, which share its channels equally"),
    .init(
      "model.head_channels", \.model.architecture.headChannels, absent: "none", .within(1...65536),
      "channels per head, instead of model.heads: attention layers with more channels have more heads"),
    .init(
      "model.dropout", \.model.dropout, .within(0...0.99), "dropout probability in residual blocks"),
    .init("model.groups", \.model.groups, .within(1...65536), "maximum number of groups of each group normalisation"),
    .init(
      "model.group_channels", \.model.architecture.minimumChannelsPerGroup, .within(1...65536),
      "minimum channels per group: a layer with too few channels for model.groups has fewer groups"),
    .init(
      "model.classes", \.model.classes, absent: "none", .within(1...65536),
      "number of classes that the network is conditioned on: as many as the data set has"),
    .init(
      "model.convolution", \.model.convolution, .all,
      "algorithm of 3x3 convolutions; direct is for comparison: slower, without the rounding errors of Winograd's transforms; bfloat16 rounds the operands of all convolutions to 8 bits of precision, for the AMX instructions, and is slow without them"
    ),
    .init(
      "model.precision", \.model.precision, .all,
      "format of the values between layers, which training keeps for the backward pass; bfloat16 has 8 bits of precision and half the size; weights, sums and gradients remain float32"
    ),
    .init(
      "model.periodic", \.model.periodicity, .all,
      "axes along which images are periodic: convolutions and filters continue at the opposite side, instead of zeros"),

    .init(
      "model.block", \.model.architecture.levelChange, .all,
      "how the resolution changes between levels: ddpm by a convolution, biggan inside a residual block, adm inside one whose shortcut has no convolution"
    ),
    .init(
      "model.fir", \.model.architecture.smoothsResampling, .all,
      "apply the filter [1, 3, 3, 1] when resampling"),
    .init(
      "model.up_attention", \.model.architecture.upwardAttention, .all,
      "blocks of an upsampling level that are followed by attention"),
    .init(
      "model.skip_rescale", \.model.architecture.rescalesSums, .all,
      "divide the sum of a block's result and its input by the square root of 2"),
    .init(
      "model.attention_init_scale", \.model.architecture.attentionInitialScale, .within(1e-12...1e6),
      "variance of the initial query, key and value matrices of attention, relative to DDPM's"),
    .init(
      "model.embedding", \.model.architecture.timeFeatures, .all,
      "time embedding: sinusoidal features of the step, or Fourier features of the logarithm of the noise level with random frequencies"
    ),
    .init(
      "model.time_conditioning", \.model.architecture.timeConditioning, .all,
      "how a residual block uses the embedding of time and class: add it before the second normalisation, or scale and shift the normalised values"
    ),
    .init(
      "model.fourier_scale", \.model.architecture.fourierScale, .within(1e-3...1000),
      "standard deviation of the random frequencies"),
    .init(
      "model.progressive_input", \.model.architecture.progressiveInput, .all,
      "what downsampling levels receive of the image: with input-skip a downsampled copy, with residual a chain of convolutions of it"
    ),
    .init(
      "model.progressive_combine", \.model.architecture.combination, .all,
      "how input-skip combines the image with a level's activations: by addition or concatenation"),
    .init(
      "model.progressive_output", \.model.architecture.progressiveOutput, .all,
      "what upsampling levels add to the output: with output-skip an image each, with residual a chain of convolutions"),
    .init(
      "model.scale_by_sigma", \.model.architecture.dividesOutputByNoise, .all,
      "divide the network's output by the noise's standard deviation; for ve and ve-sde with model.embedding=fourier"),

    .init(
      "diffusion.process", \.diffusion.process, .all,
      "forward process: in discrete steps (vp, ve) or in continuous time"),
    .init("diffusion.steps", \.diffusion.steps, .within(2...1_000_000), "number of steps T of vp and ve"),
    .init(
      "diffusion.rescale_times", \.diffusion.rescaleTimes, .all,
      "condition the network on the times of vp and ve as if there were 1000 steps, whatever diffusion.steps is"),
    .init("diffusion.schedule", \.diffusion.schedule, .all, "noise schedule of vp"),
    .init(
      "diffusion.beta_first", \.diffusion.betaFirst, .between(0, 1),
      "noise variance of the first step of vp; not used by the cosine schedule"),
    .init(
      "diffusion.beta_last", \.diffusion.betaLast, .between(0, 1),
      "noise variance of the last step of vp; not used by the cosine schedule"),
    .init(
      "diffusion.zero_terminal_snr", \.diffusion.zeroTerminalSNR, .all,
      "rescale the variances of vp so that no signal is left at the last step; for the predictions velocity and data"),
    .init(
      "diffusion.sigma_min", \.diffusion.sigmaMin, absent: "default", .above(0),
      "lowest noise level of ve, ve-sde and edm; default: 0.01, for edm 0.002"),
    .init(
      "diffusion.sigma_max", \.diffusion.sigmaMax, absent: "default", .above(0),
      "highest noise level of ve, ve-sde and edm; default: 50, for edm 80"),
    .init(
      "diffusion.sigma_data", \.diffusion.sigmaData, absent: "auto", .within(1e-3...1e6),
      "standard deviation of the data, for the preconditioning of edm; auto: 0.5 for images, as in EDM's paper, and that of the normalised values for fields"
    ),
    .init(
      "diffusion.prediction", \.diffusion.prediction, .all,
      "what the network predicts; edm has a preconditioned output instead"),
    .init(
      "diffusion.scale_input", \.diffusion.scaleInput, .all,
      "scale the noisy inputs of ve and ve-sde to the magnitude of the data"),
    .init("diffusion.loss", \.diffusion.loss, .all, "training loss"),
    .init(
      "diffusion.p_mean", \.diffusion.levels.mean, .within(-20...20),
      "mean of the logarithm of the noise levels that the loss edm trains"),
    .init(
      "diffusion.p_std", \.diffusion.levels.standardDeviation, .within(1e-3...20),
      "standard deviation of the logarithm of the noise levels that the loss edm trains"),
    .init(
      "diffusion.time_sampling", \.diffusion.timeSampling, .all,
      "how training samples the steps of vp and ve: loss-aware favours those with large losses"),
    .init(
      "diffusion.variance", \.diffusion.variance, .all,
      "variance of the reverse steps of vp and ve: small is the posterior's, large the forward step's; the network learns learned-range between these two, learned without bounds"
    ),

    .init(
      "training.steps", \.training.steps, .within(1...maximumSteps), mayChangeOnResume: true,
      "optimiser steps of the whole run"),
    .init(
      "training.batch", \.training.batch, .within(1...maximumBatch), "images per optimiser step, over all ranks"),
    .init(
      "training.micro_batch", \.training.microBatch, .within(1...maximumBatch),
      "images per forward and backward pass, the unit that is distributed over ranks"),
    .init(
      "training.label_dropout", \.training.labelDropout, .within(0..<1),
      "probability that an image's class is hidden from the network; needed for classifier-free guidance"),
    .init(
      "training.condition_dropout", \.training.conditionDropout, .within(0..<1),
      "probability that the channels of data.conditions are hidden from the network, which then gets zeros; needed for guidance towards them"
    ),
    .init(
      "training.recompute_activations", \.training.recomputeActivations, .all, mayChangeOnResume: true,
      "what the backward pass recomputes to save memory: blocks are the residual blocks with their attention"),
    .init(
      "training.learning_rate", \.training.learningRate, .within(1e-12...1e40), mayChangeOnResume: true,
      "Adam's learning rate after the warm-up"),
    .init(
      "training.warmup_steps", \.training.warmupSteps, .within(0...maximumSteps), mayChangeOnResume: true,
      "steps over which the learning rate rises linearly from 0"),
    .init(
      "training.schedule", \.training.schedule, .all, mayChangeOnResume: true,
      "how the learning rate decays after the warm-up: cosine and linear to 0 at training.steps, inverse-sqrt with the inverse square root of the steps"
    ),
    .init(
      "training.decay_start", \.training.decayStart, absent: "default", .within(0...maximumSteps),
      mayChangeOnResume: true,
      "step at which the learning rate begins to decay; default: the end of the warm-up"),
    .init(
      "training.max_gradient_norm", \.training.maxGradientNorm, absent: "none", .within(1e-12...1e30),
      "Euclidean norm to which larger gradients are clipped"),
    .init(
      "training.ema_decays", \.training.emaDecays, .list(of: .within(0...0.999_999), counts: 1...16),
      "decay per step of each moving average of the weights; samples use the first"),
    .init(
      "training.ema_rampup", \.training.emaRampup, absent: "none", .above(0, atMost: 1000),
      "maximum half-life of each average as a fraction of the steps done, so that none keeps the initial weights"),
    .init("training.adam_beta1", \.training.adamBeta1, .within(0..<1), "Adam's decay of the first moment"),
    .init("training.adam_beta2", \.training.adamBeta2, .within(0..<1), "Adam's decay of the second moment"),
    .init(
      "training.adam_epsilon", \.training.adamEpsilon, .within(1e-30...1), "constant added to Adam's denominator"),
    .init(
      "training.overlap", \.training.overlap, .all, mayChangeOnResume: true,
      "exchange gradients and parameters between machines while the network computes"),
    .init(
      "training.release_gradients", \.training.releasesGradients, .all, mayChangeOnResume: true,
      "give the memory of gradients back to the system as they are added up, in every step, where each rank of a machine has one micro-batch: less memory, but slower"
    ),
    .init(
      "training.wire", \.training.wire, .all,
      "format of gradients sent between machines; bfloat16 halves the traffic, but results then depend on the number of machines"
    ),
    .init(
      "training.checkpoint_every", \.training.checkpointEvery, absent: "none", .within(1...maximumSteps),
      mayChangeOnResume: true,
      "steps between checkpoints; none: only after the last step"),
    .init(
      "training.keep_checkpoints", \.training.keepCheckpoints, absent: "all", .within(1...maximumSteps),
      mayChangeOnResume: true,
      "number of newest checkpoints to keep"),
    .init(
      "training.save_beside", \.training.saveBeside, .all, mayChangeOnResume: true,
      "save checkpoints in the background, if there is memory for a copy of the state"),
    .init(
      "training.save_timeout_seconds", \.training.saveTimeoutSeconds, absent: "none", .above(0, atMost: 1e9),
      mayChangeOnResume: true,
      "seconds that a save may take before the job is ended with exit status 6"),
    .init(
      "training.hang_timeout_seconds", \.training.hangTimeoutSeconds, absent: "none", .within(1...1e9),
      mayChangeOnResume: true,
      "seconds that a rank may be silent or make no progress before the job is ended with exit status 6"),
    .init(
      "training.time_limit_minutes", \.training.timeLimitMinutes, absent: "none", .above(0, atMost: 1e9),
      mayChangeOnResume: true,
      "minutes after which training saves and stops with exit status 5, to be resumed"),
    .init(
      "training.log_every", \.training.logEvery, absent: "none", .within(1...maximumSteps),
      mayChangeOnResume: true,
      "steps between lines of the log and of metrics.jsonl; none: only after the last step"),
    .init(
      "training.sample_every", \.training.sampleEvery, absent: "none", .within(1...maximumSteps),
      mayChangeOnResume: true,
      "steps between sample sheets, with one after the last step; none: no sheets"),
    .init(
      "training.tensorboard", \.training.tensorBoard, .all, mayChangeOnResume: true,
      "write TensorBoard's event files to the run folder"),

    .init(
      "sampling.count", \.training.sampleCount, .within(1...65536), mayChangeOnResume: true, "images on a sample sheet"),
    .init(
      "sampling.sampler", \.sampling.name, absent: "default", .all, mayChangeOnResume: true,
      "sampler; default: edm for the process edm, euler-maruyama for the other continuous processes, ddpm for discrete ones"
    ),
    .init(
      "sampling.steps", \.sampling.steps, .within(1...maximumSamplingSteps), mayChangeOnResume: true,
      "number of sampling steps; ddpm, ddim and dpm-solver++ spread them over diffusion.steps"),
    .init(
      "sampling.spacing", \.sampling.spacing, .all, mayChangeOnResume: true,
      "how ddpm, ddim and dpm-solver++ space their steps among diffusion.steps"),
    .init(
      "sampling.clip", \.sampling.clipsOriginal, .all, mayChangeOnResume: true,
      "clip the predicted image to [-1, 1] in each step"),
    .init(
      "sampling.variance", \.sampling.variance, absent: "default", .all, mayChangeOnResume: true,
      "variance of the reverse steps of ddpm; default: diffusion.variance"),
    .init(
      "sampling.eta", \.sampling.eta, .within(0...1), mayChangeOnResume: true,
      "noise added by ddim: 0 for none, 1 for as much as ddpm adds with the small variance"),
    // Each Langevin step of a step has a stream of random numbers to itself.
    .init(
      "sampling.corrections", \.sampling.corrections, .within(0...maximumSamplingSteps), mayChangeOnResume: true,
      "Langevin steps of predictor-corrector and langevin at each time"),
    .init(
      "sampling.snr", \.sampling.signalToNoise, .above(0, atMost: 1e9), mayChangeOnResume: true,
      "signal-to-noise ratio that sets the size of Langevin steps"),
    .init(
      "sampling.tolerance", \.sampling.tolerance, .above(0, atMost: 1e9), mayChangeOnResume: true,
      "error tolerance of a step of ode-rk45"),
    .init(
      "sampling.churn", \.sampling.churn.amount, .within(0...1e9), mayChangeOnResume: true,
      "S_churn of edm: amount of noise added during sampling"),
    .init(
      "sampling.churn_min", \.sampling.churn.minimum, .within(0...1e9), mayChangeOnResume: true,
      "S_tmin of edm: lowest noise level at which noise is added"),
    .init(
      "sampling.churn_max", \.sampling.churn.upperLimit, absent: "none", .within(0...1e9), mayChangeOnResume: true,
      "S_tmax of edm: highest noise level at which noise is added"),
    .init(
      "sampling.churn_noise", \.sampling.churn.inflation, .above(0, atMost: 1e9), mayChangeOnResume: true,
      "S_noise of edm: standard deviation of the added noise"),
    .init(
      "sampling.guidance", \.sampling.guidance, .within(-1e9...1e9), mayChangeOnResume: true,
      "strength of guidance towards the class and the given channels; 0 samples from the model's own conditional distribution"
    ),

    .init(
      "evaluation.every", \.evaluation.every, absent: "none", .within(1...maximumSteps), mayChangeOnResume: true,
      "steps between evaluations of sampled images; the best checkpoint is kept as checkpoints/best.h5"),
    .init(
      "evaluation.count", \.evaluation.count, .within(2...maximumImages), mayChangeOnResume: true,
      "images to sample for each evaluation, with the settings of sampling"),
    .init(
      "evaluation.members", \.evaluation.members, .within(2...1024), mayChangeOnResume: true,
      "with data.conditions, the number of fields to sample for each condition"),
    .init(
      "evaluation.measures", \.evaluation.measures, .list(of: .notEmpty, counts: 0...64), mayChangeOnResume: true,
      "measures to compute, as of `ddpm-mpi evaluate --measures`; empty: the usual ones"),
    .init(
      "evaluation.features", \.evaluation.features, .notEmpty, mayChangeOnResume: true,
      "network that computes the features: inception, fashion-mnist-classifier, or a file from `ddpm-mpi export`"),
    .init(
      "evaluation.split", \.evaluation.split, .all, mayChangeOnResume: true,
      "split of the data set to compare with"),
    .init(
      "evaluation.reference_count", \.evaluation.referenceCount, absent: "all", .within(2...maximumImages),
      mayChangeOnResume: true,
      "number of reference images, the first of the split"),
  ]
}

extension EDMSampler.Churn {
  /// The maximum; nil for no limit.
  fileprivate var upperLimit: Double? {
    get { maximum.isFinite ? maximum : nil }
    set { maximum = newValue ?? .infinity }
  }
}
