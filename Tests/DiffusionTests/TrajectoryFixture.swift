import Diffusion
import Foundation
import HDF5
import RealModule
import Tensors
import Testing

/// The trajectory of a diffusers scheduler from noise to images; see Fixtures/README.md.
struct TrajectoryCase: Decodable, Sendable, CustomTestStringConvertible {
  let name: String
  let sampler: String
  let process: String
  let schedule: String
  let first: Double
  let last: Double
  /// Whether the last step leaves nothing of the image.
  let zeroTerminalSnr: Bool?
  let sigmaMin: Double
  let sigmaMax: Double
  let prediction: String
  let images: Int
  let steps: Int
  let spacing: String
  let variance: String
  let eta: Double
  /// Clipped by the sampler, which keeps ε̂.
  let clips: Bool
  /// Clipped by the denoiser, which changes ε̂ too.
  let clipsInDenoiser: Bool
  let corrections: Int
  let snr: Double
  /// Amount, minimum, maximum and inflation.
  let churn: [Double]

  var testDescription: String { name }

  func makeProcess() throws -> any ForwardProcess {
    switch (process, schedule) {
    case ("edm", _): try EDMProcess(sigmaMin: sigmaMin, sigmaMax: sigmaMax)
    case ("ve", _): try DiscreteProcess.varianceExploding(steps: steps, sigmaMin: sigmaMin, sigmaMax: sigmaMax)
    default:
      DiscreteProcess(
        schedule: try NoiseSchedule.named(schedule, first: first, last: last, zeroTerminalSNR: zeroTerminalSnr == true))
    }
  }

  func makeModel() throws -> ModelDescription {
    ModelDescription(
      process: try makeProcess(),
      parametrisation: process == "edm"
        ? .preconditioned(sigmaData: 0.5) : .prediction(Prediction(rawValue: prediction)!),
      variance: ReverseVariance(rawValue: variance)!)
  }

  func makeSampler() throws -> any Sampler {
    var settings = SamplerSettings()
    settings.name = SamplerName(rawValue: sampler)!
    settings.steps = steps
    settings.spacing = StepSpacing(rawValue: spacing)!
    settings.eta = eta
    settings.clipsOriginal = clips
    settings.corrections = corrections
    settings.signalToNoise = snr
    settings.churn.amount = churn[0]
    settings.churn.minimum = churn[1]
    settings.churn.maximum = churn[2]
    settings.churn.inflation = churn[3]
    return try settings.sampler(for: try makeProcess(), variance: ReverseVariance(rawValue: variance)!)
  }
}

/// The fixture's formula instead of a network.
struct FormulaNetwork: DiffusionNetwork {
  let test: TrajectoryCase

  /// - Returns: shaped like `x`, or with twice as many channels.
  func output(_ x: DoubleTensor, time: Double) -> DoubleTensor {
    let values = x.elements.enumerated().map { index, value in
      let index = Double(index % x.imageSize)
      return (mean(value, index, time), Double.sin(2 * value + index))
    }
    guard test.variance == "learned-range" else { return DoubleTensor(values.map(\.0), shape: x.shape) }
    let channels = x.shape.last!
    let pixels = stride(from: 0, to: values.count, by: channels).map { values[$0..<$0 + channels] }
    return DoubleTensor(pixels.flatMap { $0.map(\.0) + $0.map(\.1) }, shape: x.shape.dropLast() + [2 * channels])
  }

  private func mean(_ x: Double, _ index: Double, _ time: Double) -> Double {
    switch test.process {
    case "edm": return Double.sin(1.5 * x + 0.7 * index + time)
    case "ve":
      let share = time / Double(test.steps - 1)
      let sigma = test.sigmaMin * Double.pow(test.sigmaMax / test.sigmaMin, share)
      let whole = x * (1 + sigma * sigma).squareRoot()
      return (1.2 * Double.sin(1.5 * whole + 0.7 * index + share) - whole) / (sigma * sigma)
    default:
      let share = (time + 1) / 1000
      let signal = Double.exp(-0.05 * share - 4.975 * share * share)
      let sigma = (1 - signal * signal).squareRoot()
      let velocity = Double.sin(1.5 * x + 0.7 * index + 3 * share)
      return switch test.prediction {
      case "data": signal * x - sigma * velocity
      case "velocity": velocity
      default: sigma * x + signal * velocity
      }
    }
  }

  func output(_ x: Tensor, times: [Float], conditions: Conditions) -> Tensor {
    output(DoubleTensor(x), time: Double(times[0])).single
  }
}

/// The same as `NetworkDenoiser`, completely in double precision. It records its inputs.
final class PreciseDenoiser: Denoiser {
  let network: FormulaNetwork
  let model: ModelDescription
  private(set) var inputs: [DoubleTensor] = []
  /// The network's time inputs.
  private(set) var times: [Double] = []

  init(_ test: TrajectoryCase) throws {
    network = FormulaNetwork(test: test)
    model = try test.makeModel()
  }

  func estimate(_ x: DoubleTensor, at times: [Double], images: [Int]) -> Estimate {
    let time = times[0]
    let networkTime = model.process.networkTime(at: time)
    inputs.append(x)
    self.times.append(networkTime)
    let output = network.output(DoubleTensor(model.inputScale(at: time) * x), time: networkTime)
    let (mean, variance) = halves(output, channels: x.shape.last!)
    let reading = model.reading(at: time)
    let original = DoubleTensor(reading.original.noisy * x + reading.original.output * mean)
    if network.test.clipsInDenoiser {
      return Estimate(original: original.clamped(to: -1...1), of: x, at: times.map { model.process.marginal(at: $0) })
    }
    return Estimate(
      original: original, noise: DoubleTensor(reading.noise.noisy * x + reading.noise.output * mean),
      variance: variance)
  }

  private func halves(_ output: DoubleTensor, channels: Int) -> (DoubleTensor, DoubleTensor?) {
    guard output.shape.last! == 2 * channels else { return (output, nil) }
    let pixels = stride(from: 0, to: output.elements.count, by: 2 * channels)
    func part(_ offset: Int) -> DoubleTensor {
      DoubleTensor(
        pixels.flatMap { output.elements[$0 + offset..<$0 + offset + channels] },
        shape: output.shape.dropLast() + [channels])
    }
    return (part(0), part(channels))
  }
}

extension NoiseSchedule {
  /// With 1000 steps.
  static func named(_ name: String, first: Double, last: Double, zeroTerminalSNR: Bool) throws -> NoiseSchedule {
    let schedule =
      switch name {
      case "quadratic": try quadratic(first: first, last: last)
      case "cosine": try cosine()
      case "sigmoid": try sigmoid(first: first, last: last)
      default: try linear(first: first, last: last)
      }
    return zeroTerminalSNR ? try schedule.withZeroTerminalSNR() : schedule
  }
}

/// A file of trajectories and related data.
struct TrajectoryFixture: Sendable {
  struct Configuration: Decodable {
    let seed: UInt64
    let cases: [TrajectoryCase]
    /// The numbers of training and sampling steps.
    let stepCounts: [[Int]]
  }

  /// With the visited steps.
  static let ordinary = TrajectoryFixture("trajectories.h5")
  /// With the variances of rescaled schedules.
  static let zeroTerminalSNR = TrajectoryFixture("zero-snr.h5")

  /// The file that contains a case.
  static func file(of test: TrajectoryCase) -> TrajectoryFixture {
    test.zeroTerminalSnr == true ? zeroTerminalSNR : ordinary
  }

  let path: String
  let configuration: Configuration

  private init(_ name: String) {
    path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
    do {
      let file = try HDF5File.open(path)
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      configuration = try decoder.decode(
        Configuration.self, from: Data(try file.readAttribute("config", as: String.self).utf8))
    } catch {
      fatalError("\(error)")
    }
  }

  func read<Element: HDF5Element>(_ name: String, as _: Element.Type) throws -> (values: [Element], shape: [Int]) {
    let file = try HDF5File.open(path)
    let dataset = try file.openDataset(name)
    return (try dataset.readAll(as: Element.self), dataset.shape)
  }

  func latents(_ test: TrajectoryCase) throws -> DoubleTensor {
    let (values, shape) = try read("latents", as: Double.self)
    return DoubleTensor(values, shape: shape).images(Array(0..<test.images))
  }
}
