import Diffusion
import RealModule
import Testing

@Suite struct ProcessTests {
  struct Named: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let process: any ForwardProcess
  }

  static let sdes: [Named] = [
    Named(testDescription: "vp-sde", process: try! VariancePreservingSDE()),
    Named(testDescription: "sub-vp-sde", process: try! VariancePreservingSDE(.subVariancePreserving)),
    Named(testDescription: "ve-sde", process: try! VarianceExplodingSDE()),
    Named(testDescription: "edm", process: try! EDMProcess()),
    Named(testDescription: "discrete vp", process: DiscreteProcess(schedule: try! .linear())),
    Named(testDescription: "discrete ve", process: try! DiscreteProcess.varianceExploding(steps: 1000)),
  ]

  /// Its last step leaves nothing of the image; not among the others, since a network cannot predict the noise there.
  static let zeroTerminalSNR = Named(
    testDescription: "discrete vp without signal at the end",
    process: DiscreteProcess(schedule: try! NoiseSchedule.linear().withZeroTerminalSNR()))

  @Test func equationsAreContinuedWithoutALastStepWithoutSignal() throws {
    let process = try #require(Self.zeroTerminalSNR.process.discrete)
    #expect(process.hasZeroTerminalSNR && process.marginal(at: 999) == Marginal(signal: 0, sigma: 1))
    #expect(process.times == 0...998)
    #expect(process.drift(at: 998).isFinite && process.squaredDiffusion(at: 998).isFinite)
    // x_{T−2} does not depend on later steps.
    let transition = process.transition(to: 999)
    let before = process.marginals[998]
    #expect(transition.ratio == 0 && transition.variance == 1)
    let posterior = transition.posterior
    #expect(posterior.original == before.signal && posterior.noisy == 0)
    #expect(posterior.variance == before.sigma * before.sigma)
    for respaced in [process.respaced(keeping: [3, 999]), process.respaced(keeping: [999])] {
      #expect(respaced.hasZeroTerminalSNR && respaced.transition(to: respaced.steps - 1).ratio == 0)
    }
    #expect(process.firstUnworkableTime == nil)
    // Guidance changes the image estimate, which x does not determine.
    for prediction in [Prediction.velocity, .data] {
      let reading = ModelDescription(process: process, parametrisation: .prediction(prediction)).reading(at: 999)
      #expect(reading.original.noisy == 0 && abs(reading.original.output) == 1)
      #expect(reading.noise.noisy == 1 && reading.noise.output == 0)
    }
  }

  /// Between the steps the equation is continued without jumps, which would reduce the solvers' order.
  @Test(arguments: [try! NoiseSchedule.linear(), try! .quadratic(), try! .sigmoid()])
  func discreteProcessesHaveContinuousRates(_ schedule: NoiseSchedule) {
    let process = DiscreteProcess(schedule: schedule)
    for step in [1, 2, 10, 500, 998] {
      let time = Double(step)
      let (before, after) = (process.squaredDiffusion(at: time - 1e-6), process.squaredDiffusion(at: time + 1e-6))
      #expect(abs(before / after - 1) < 1e-5)
      // And the noise never decreases.
      #expect((0..<10).allSatisfy { process.squaredDiffusion(at: time + Double($0) / 10) > 0 })
      // The rate lies between the β of the neighbouring steps.
      let betas = schedule.betas[step]...schedule.betas[step + 1]
      #expect(betas.lowerBound * 0.99 < before && before < betas.upperBound * 1.02)
    }
  }

  /// dα/dt = f·α and dσ²/dt = 2f·σ² + g²: drift and diffusion are consistent with the marginals.
  @Test(arguments: sdes)
  func marginalsFollowFromDriftAndDiffusion(_ named: Named) {
    let process = named.process
    let (first, last) = (process.times.lowerBound, process.times.upperBound)
    for share in [0.013, 0.1, 0.37, 0.5, 0.8, 0.97] {
      // Not at a step of a discrete process, where its slope jumps.
      let inside = first + (last - first) * share
      let time = process.discrete != nil ? inside.rounded(.down) + 0.25 : inside
      let width = 1e-5 * (last - first)
      let (before, after) = (process.marginal(at: time - width), process.marginal(at: time + width))
      let now = process.marginal(at: time)
      let (f, g) = (process.drift(at: time), process.squaredDiffusion(at: time))
      let signalSlope = (after.signal - before.signal) / (2 * width)
      let varianceSlope =
        (after.sigma * after.sigma - before.sigma * before.sigma) / (2 * width)
      let expected = 2 * f * now.sigma * now.sigma + g
      #expect(abs(signalSlope - f * now.signal) < 1e-5 * max(1e-3, abs(f * now.signal)))
      #expect(abs(varianceSlope - expected) < 1e-4 * max(1e-6, abs(expected)), "at \(time)")
    }
  }

  @Test(arguments: sdes)
  func samplingTimesLeadFromNoiseToImage(_ named: Named) {
    let times = named.process.samplingTimes(steps: 7)
    #expect(times.count == 8)
    #expect(times[0] == named.process.times.upperBound || abs(times[0] / named.process.times.upperBound - 1) < 1e-12)
    #expect(times[7] == named.process.times.lowerBound)
    #expect(zip(times, times.dropFirst()).allSatisfy(>))
  }

  /// The discrete process with β_i = β(i/T)/T converges to the stochastic differential equation.
  @Test func theDiscreteProcessConvergesToTheEquation() throws {
    let sde = try VariancePreservingSDE()
    var errors: [Double] = []
    for steps in [250, 500, 1000, 2000] {
      let betas = (1...steps).map { (0.1 + Double($0) / Double(steps) * 19.9) / Double(steps) }
      let process = DiscreteProcess(schedule: try NoiseSchedule(betas: betas))
      errors.append(
        (1...10).map { tenth in
          let discrete = process.marginals[tenth * steps / 10 - 1]
          return abs(discrete.signal - sde.marginal(at: Double(tenth) / 10).signal)
        }.max()!)
    }
    // First order in 1/T.
    for (coarse, fine) in zip(errors, errors.dropFirst()) { #expect(abs(coarse / fine - 2) < 0.1) }
    #expect(errors[3] < 2e-3)
  }

  @Test(arguments: [0, 1, 500, 999])
  func transitionsSatisfyBayesTheorem(step: Int) throws {
    let schedule = try NoiseSchedule.linear()
    let process = DiscreteProcess(schedule: schedule)
    let transition = process.transition(to: step)
    #expect(abs(transition.ratio - (1 - schedule.betas[step]).squareRoot()) < 1e-13)
    #expect(abs(transition.variance / schedule.betas[step] - 1) < 1e-9)
    let posterior = transition.posterior
    if step == 0 {
      #expect(posterior.original == 1 && posterior.noisy == 0 && posterior.variance == 0)
      return
    }
    // Precision and mean of the product of N(x_t; √α·x, β) and N(x; √ᾱ'·x_0, 1 − ᾱ') as functions of x.
    let (alpha, beta) = (1 - schedule.betas[step], schedule.betas[step])
    let before = schedule.cumulativeAlphas[step - 1]
    let precision = alpha / beta + 1 / (1 - before)
    #expect(abs(posterior.variance * precision - 1) < 1e-9)
    #expect(abs(posterior.noisy - alpha.squareRoot() / beta / precision) < 1e-9)
    #expect(abs(posterior.original - before.squareRoot() / (1 - before) / precision) < 1e-9)
  }

  @Test func respacingKeepsTheMarginals() throws {
    let process = DiscreteProcess(schedule: try .cosine(steps: 100))
    let kept = process.respaced(keeping: [3, 10, 99])
    #expect(kept.steps == 3)
    #expect(kept.marginals == [3, 10, 99].map { process.marginals[$0] })
    #expect(kept.networkTime(at: 1) == 10)
    let transition = kept.transition(to: 1)
    let square = transition.ratio * transition.ratio * process.marginals[3].signal * process.marginals[3].signal
    #expect(abs(square - process.marginals[10].signal * process.marginals[10].signal) < 1e-14)
  }

  @Test func schedulesHaveTheirShapes() throws {
    let quadratic = try NoiseSchedule.quadratic(steps: 11)
    #expect(abs(quadratic.betas[0] - 1e-4) < 1e-15 && abs(quadratic.betas[10] - 0.02) < 1e-15)
    let middle = (1e-4.squareRoot() + 0.02.squareRoot()) / 2
    #expect(abs(quadratic.betas[5] - middle * middle) < 1e-15)
    let sigmoid = try NoiseSchedule.sigmoid(steps: 11)
    #expect(abs(sigmoid.betas[5] - (1e-4 + 0.0199 / 2)) < 1e-15)
    let cosine = try NoiseSchedule.cosine(steps: 1000)
    for step in [0, 100, 500, 900] {
      let share = (Double(step + 1) / 1000 + 0.008) / 1.008
      let start = Double.cos(0.008 / 1.008 * Double.pi / 2)
      let expected = Double.cos(share * Double.pi / 2) / start
      #expect(abs(cosine.cumulativeAlphas[step] - expected * expected) < 1e-12)
    }
    #expect(cosine.betas[999] == 0.999)
  }

  @Test func impossibleSettingsAreNamed() {
    func key(_ body: () throws -> Void) -> String? {
      do { try body() } catch let error as DiffusionError { return error.key } catch {}
      return nil
    }
    #expect(key { _ = try VariancePreservingSDE(first: 0) } == "first")
    #expect(key { _ = try VariancePreservingSDE(.subVariancePreserving, first: 2, last: 1) } == "last")
    #expect(key { _ = try VarianceExplodingSDE(sigmaMin: 1, sigmaMax: 1) } == "sigma_max")
    #expect(key { _ = try EDMProcess(sigmaMin: 0) } == "sigma_min")
    #expect(key { _ = try EDMProcess(rho: .nan) } == "rho")
    #expect(key { _ = try DiscreteProcess.varianceExploding(steps: 1) } == "steps")
    #expect(key { _ = try NoiseSchedule.cosine(steps: 0) } == "steps")
    #expect(key { _ = try NoiseSchedule.quadratic(steps: 5, first: 0.1, last: 0.01) } == "first")
  }
}
