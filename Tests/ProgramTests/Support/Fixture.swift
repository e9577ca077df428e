import Foundation
import TestSupport

/// A run or a model shared by several tests: it is created when first used, and must not be changed.
struct Fixture: Sendable {
  let path: String
  private let task: Task<ProgramRun, any Error>

  /// - Parameter words: a command that writes to `--output`.
  init(_ name: String, _ words: Words, ranks: Int? = nil) {
    let path = "\(Self.root.path)/\(name)"
    self.path = path
    task = Task {
      let run = try await ddpm("\(words) --output \(path)", ranks: ranks)
      guard run.status == 0 else { throw CommandFailure(run: run) }
      return run
    }
  }

  /// The output of the program that created this.
  var log: ProgramRun { get async throws { try await task.value } }

  /// The path, once everything is there.
  var made: String {
    get async throws {
      _ = try await task.value
      return path
    }
  }

  /// The folder of all fixtures; removed when the process ends.
  static let root: TemporaryFolder = {
    // Without a folder, no test can run.
    // swift-format-ignore: NeverUseForceTry
    let folder = try! TemporaryFolder()
    atexit { try? FileManager.default.removeItem(atPath: Fixture.root.path) }
    return folder
  }()

  /// A missing path; no command that is refused may create it.
  static let nowhere = root.path + "/nowhere"

  // MARK: The small models of these tests

  /// Settings that make training on `shapes` short.
  static let tiny: Words = """
    --preset shapes --set training.batch=4 --set training.micro_batch=1 --set training.steps=4
    --set training.checkpoint_every=1 --set training.keep_checkpoints=3 --set training.sample_every=4
    --set training.log_every=2 --set sampling.count=3 --set sampling.steps=2 --set model.multipliers=[1,1]
    """

  /// A denoiser of four steps, trained on two ranks.
  static let run = Fixture("run", "train \(tiny)", ranks: 2)

  // Denoisers of other processes.
  static let ve = process("ve")
  static let vpSDE = process("vp-sde")
  static let veSDE = process("ve-sde")
  static let subVPSDE = process("sub-vp-sde")
  static let edm = process("edm")

  private static func process(_ name: String) -> Fixture {
    Fixture(
      name, "train \(tiny) --set diffusion.process=\(name) --set training.steps=2 --set sampling.steps=2", ranks: 2)
  }

  /// A denoiser of a process of 20 steps.
  static let fewSteps = Fixture("few", "train \(tiny) --set diffusion.steps=20 --set training.steps=2")

  // MARK: Models with classes

  static let conditioned: Words = "\(tiny) --set model.classes=5"

  /// A denoiser that was sometimes trained without a class, with a learned variance and loss-aware time sampling; with
  /// its trace.
  static let guided = Fixture(
    "guided",
    """
    train \(conditioned) --set training.label_dropout=0.3 --set diffusion.variance=learned-range
    --set diffusion.loss=hybrid --set diffusion.time_sampling=loss-aware --trace \(guidedTrace)
    """, ranks: 2)
  static let guidedTrace = root.path + "/guided-trace.h5"

  /// A denoiser that was always conditioned on the class.
  static let alwaysConditioned = Fixture("always-conditioned", "train \(conditioned)")

  /// A denoiser without classes, with a learned variance.
  static let learnedVariance = Fixture(
    "learned", "train \(tiny) --set diffusion.variance=learned --set diffusion.loss=variational")

  static let classifier = Fixture("classifier", "train-classifier \(tiny)", ranks: 2)
  static let classifierVPSDE = Fixture("classifier-vp-sde", "train-classifier \(tiny) --set diffusion.process=vp-sde")
  static let classifierEDM = Fixture("classifier-edm", "train-classifier \(tiny) --set diffusion.process=edm")
}
