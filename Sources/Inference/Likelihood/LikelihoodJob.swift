import Configuration
import Diffusion
import Failures
import Files
import MessagePassing
import Reporting

/// The likelihood of images of a model's data set, in bits per dimension; the images are shared among all ranks.
package struct LikelihoodJob: Sendable {
  package enum Method: String, Sendable, CaseIterable {
    /// The variational bound of a discrete process: all T terms, with one draw of x_t for each.
    case bound
    /// The density under the probability-flow equation.
    case ode
  }

  package var model: ModelRequest
  package var method: Method
  package var data: DataChoice
  package var seed: UInt64 = 0
  package var probe = FlowLikelihood.Probe.rademacher
  package var tolerance = ProbabilityFlowSampler.defaultTolerance
  package var condition = ClassCondition.own
  package var printsJSON = false

  package init(_ model: ModelRequest, method: Method, data: DataChoice) {
    self.model = model
    self.method = method
    self.data = data
  }

  /// Computes and prints the likelihood. Collective.
  package func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0 && !printsJSON)
    defer { reporter.finish() }
    let result = try evaluate(communicator: communicator, reporter: reporter)
    reporter.clear()
    guard communicator.rank == 0 else { return }
    StandardOutput.print(printsJSON ? try result.json : result.text)
  }

  /// Computes the likelihood. Collective; equal on all ranks.
  private func evaluate(communicator: Communicator, reporter: RunReporter) throws -> LikelihoodResult {
    // The density requires the derivative of the network.
    let model = try TrainedModel(
      model, activations: { method == .ode ? $0.training : $0.inference }, communicator: communicator,
      reporter: reporter)
    let (images, measure) = try communicator.together { () throws -> (DataImages, any LikelihoodMeasure) in
      let images = try DataImages(data, for: model, condition: condition)
      try model.requireNoGivenChannels("likelihood")
      return try namingOptions {
        try condition.check(model.configuration)
        return (images, try self.measure(model))
      }
    }
    let count = data.count
    let batches = communicator.batches(of: count, size: self.model.batch)
    var bits: [Double] = []
    var evaluations = 0
    // An image may prove to be damaged on one rank.
    try communicator.together {
      for (number, range) in batches.enumerated() {
        let denoiser = model.denoiser(
          condition.guidance(model.configuration, labels: range.map { images.dataset.label(of: $0) }))
        let batch = try measure.bits(of: range, images, denoiser) { share in
          let progress = SamplingProgress(
            "likelihood of", imageCount: count, step: Int(100 * (Double(number) + share)),
            stepCount: 100 * batches.count)
          reporter.show(progress, isMilestone: false)
        }
        bits += batch.bits
        evaluations = max(evaluations, batch.evaluations)
      }
    }
    let counts = communicator.shares(of: count).map { measure.parts.count * $0.count }
    let result = LikelihoodResult(
      method: method, checkpoint: model.origin.checkpoint, dataset: images.dataset.name, split: data.split,
      parts: measure.parts,
      bits: try communicator.allGather(bits, counts: counts),
      evaluations: try communicator.allReduceMaximum(evaluations))
    try communicator.together {
      guard result.bitsPerDimension.isFinite else {
        throw RunError(.notFinite, "the likelihood is not finite: the weights have diverged")
      }
    }
    return result
  }

  private func measure(_ model: TrainedModel) throws(DiffusionError) -> any LikelihoodMeasure {
    let (process, configuration) = (model.process, model.configuration)
    switch method {
    case .bound:
      guard let discrete = process.discrete else {
        throw DiffusionError(
          key: "method",
          problem: "bound requires one of the discrete processes vp and ve, but this model's is "
            + "\(configuration.diffusion.process.rawValue); use ode")
      }
      return BoundMeasure(
        bound: VariationalBound(
          process: discrete, variance: configuration.diffusion.variance,
          clipsOriginal: configuration.sampling.clipsOriginal),
        seed: seed)
    case .ode:
      return try FlowLikelihood(process: process, probe: probe, tolerance: tolerance, seed: seed)
    }
  }
}
