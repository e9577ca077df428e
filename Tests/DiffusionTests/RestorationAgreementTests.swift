import Diffusion
import Foundation
import HDF5
import RealModule
import Tensors
import Testing

/// `Imputation` follows the equations of Song et al. as Tests/Peers/controllable.py has them, which agrees with the
/// authors' code.
@Suite(.serialized) struct RestorationAgreementTests {
  /// 40 steps in double precision, with 1 − ᾱ ≥ 1e-4 in VP's first steps.
  static let tolerance = 1e-10

  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let process: String
    let `operator`: String
    let steps: Int
    let corrections: Int
    let snr: Double

    var testDescription: String { name }
  }

  struct Configuration: Decodable {
    let seed: UInt64
    let cases: [Case]
    let sigmaMin: Double
    let sigmaMax: Double
    let betaMin: Double
    let betaMax: Double
  }

  static let path =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/restoration.h5").path

  static let configuration: Configuration = {
    do {
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .convertFromSnakeCase
      let file = try HDF5File.open(path)
      let text = try file.readAttribute("config", as: String.self)
      return try decoder.decode(Configuration.self, from: Data(text.utf8))
    } catch {
      fatalError("\(error)")
    }
  }()

  private func process(_ test: Case) throws -> any ForwardProcess {
    let numbers = Self.configuration
    return switch test.process {
    case "ve": try VarianceExplodingSDE(sigmaMin: numbers.sigmaMin, sigmaMax: numbers.sigmaMax)
    case "ve-steps":
      try DiscreteProcess.varianceExploding(
        steps: test.steps, sigmaMin: numbers.sigmaMin, sigmaMax: numbers.sigmaMax)
    case "vp": try VariancePreservingSDE(first: numbers.betaMin, last: numbers.betaMax)
    default: try VariancePreservingSDE(.subVariancePreserving, first: numbers.betaMin, last: numbers.betaMax)
    }
  }

  private func read(_ name: String) throws -> DoubleTensor {
    let file = try HDF5File.open(Self.path)
    let dataset = try file.openDataset(name)
    return DoubleTensor(try dataset.readAll(as: Double.self), shape: dataset.shape)
  }

  /// The fixture's formula instead of a network.
  private struct FormulaDenoiser: DifferentiableDenoiser {
    let process: any ForwardProcess

    func estimate(_ x: DoubleTensor, at times: [Double], images: [Int]) -> Estimate {
      let marginals = times.map { process.marginal(at: $0) }
      let size = x.imageSize
      let original = x.elements.indices.map { index in
        let (image, number) = (index / size, index % size)
        let marginal = marginals[image]
        let scale = 1 / (marginal.signal * marginal.signal + marginal.sigma * marginal.sigma).squareRoot()
        let next = scale * x.elements[image * size + (number + 1) % size]
        return 0.7 * Double.sin(1.3 * scale * x.elements[index] + 0.7 * Double(number))
          + 0.3 * Double.cos(next + Double(number))
      }
      return Estimate(original: DoubleTensor(original, shape: x.shape), of: x, at: marginals)
    }

    func estimateWithPullback(
      _ x: DoubleTensor, at times: [Double], images: [Int]
    ) throws -> (estimate: Estimate, pullback: Estimate.Pullback) {
      throw DiffusionError(key: "method", problem: "imputation needs no derivative")
    }
  }

  @Test(arguments: configuration.cases)
  func imputationAgreesWithTheAuthorsEquations(_ test: Case) throws {
    let truth = try read("truth")
    let shape = Array(truth.shape.dropFirst())
    let file = try HDF5File.open(Self.path)
    let mask = try file.openDataset("mask").readAll(as: UInt8.self)
    let forward: any MeasurementOperator =
      test.operator == "grey"
      ? try GreyOperator(imageShape: shape) : try MaskOperator(isKnown: mask.map { $0 == 1 }, imageShape: shape)
    let process = try process(test)
    let method = try Imputation(
      process: process, steps: test.steps, corrections: test.corrections, signalToNoise: test.snr)
    let samples = try method.restore(
      Measurement(forward.apply(truth), of: forward),
      from: DoubleTensor(Latents.draw(shape: truth.shape, seed: Self.configuration.seed, firstImage: 0)),
      denoiser: FormulaDenoiser(process: process), noise: SamplerNoise(seed: Self.configuration.seed))
    #expect(samples.evaluations == test.steps * (1 + test.corrections))
    let difference = largestDifference(samples.images, try read("cases/\(test.name)"))
    #expect(difference < Self.tolerance, "\(difference)")
  }
}
