/// How images are restored: a method's name and its options.
package struct RestorationSettings: Sendable, Equatable {
  package var name = RestorationName.pigdm
  package var steps = 250
  /// Which steps of a discrete process are visited, except by `imputation`.
  package var spacing = StepSpacing.linspace
  /// The variance of the reverse steps of `repaint` and `dps`; nil: the one that the model was trained with, or for
  /// `dps`, which cannot use a learned one, `large`.
  package var variance: ReverseVariance?
  /// Whether x̂_0 is clamped to [−1, 1], except by `imputation`.
  package var clipsOriginal = true
  /// For `imputation`.
  package var corrections = 1
  package var signalToNoise = 0.16
  /// For `repaint`.
  package var jumpLength = 10
  package var resamplings = 10
  /// ζ, for `dps`.
  package var scale = 1.0
  /// For `pigdm`.
  package var sampler = SamplerName.edm
  /// The standard deviation of data, for `pigdm`.
  package var sigmaData = 1.0
  /// For `pigdm`: the maximum number of iterations by which the covariance of the image given x_t is taken from the
  /// network's derivative; 0: it is computed from `sigmaData`.
  package var iterations = 0
  /// For `sdedit`: the share of the steps that are taken.
  package var strength = 0.5

  package init() {}

  /// The method for models of a process.
  /// - Parameter trained: the reverse variance that the model was trained with.
  /// - Throws: `DiffusionError` for settings that are not possible, saying which are.
  package func method(
    for process: any ForwardProcess, variance trained: ReverseVariance = .large
  ) throws(DiffusionError) -> any RestorationMethod {
    switch name {
    case .imputation:
      return try Imputation(
        process: process, steps: steps, corrections: corrections, signalToNoise: signalToNoise)
    case .repaint:
      guard let discrete = process.discrete else {
        throw DiffusionError(
          key: "method",
          problem: "repaint needs a discrete process; this model's is continuous; use pigdm or imputation")
      }
      var settings = SamplerSettings()
      settings.variance = variance
      return try RePaint(
        process: discrete, visiting: try spacing.steps(steps, of: discrete.steps),
        variance: try settings.reverseVariance(of: trained), jumpLength: jumpLength, resamplings: resamplings,
        clipsOriginal: clipsOriginal)
    case .dps:
      let variance = variance ?? (trained.isLearned ? .large : trained)
      try require(!variance.isLearned, "variance", "dps cannot use \(variance.rawValue); give small or large")
      return try PosteriorSampling(
        process: process, times: try times(of: process), variance: variance, scale: scale,
        clipsOriginal: clipsOriginal)
    case .pigdm:
      try require((0...1000).contains(iterations), "iterations", "\(iterations) must be from 0 to 1000")
      return try PseudoinverseGuidance(
        process: process, sampler: try guidedSampler(for: process),
        spread: iterations == 0 ? .isotropic(sigmaData: sigmaData) : .jacobian(iterations: iterations),
        clipsOriginal: clipsOriginal)
    case .sdedit:
      return try SDEdit(
        process: process, times: try times(of: process), strength: strength, clipsOriginal: clipsOriginal)
    }
  }

  private func guidedSampler(for process: any ForwardProcess) throws(DiffusionError) -> any Sampler {
    var settings = SamplerSettings()
    settings.name = sampler
    settings.steps = steps
    settings.spacing = spacing
    // Of x_{t−1} given the image, which a measurement may determine.
    settings.variance = .small
    // The guided denoiser clips.
    settings.clipsOriginal = false
    return try settings.sampler(for: process)
  }

  /// `steps` times, descending.
  private func times(of process: any ForwardProcess) throws(DiffusionError) -> [Double] {
    try requireSteps(steps)
    guard let discrete = process.discrete else { return process.timesBeforeImage(steps: steps) }
    return try spacing.steps(steps, of: discrete.steps).reversed().map(Double.init)
  }
}
