import Foundation
import TestSupport
import Testing

/// An error on the command line or in the configuration is reported once, with the option or key, before anything is
/// written.
struct ErrorMessageTests {
  private static let tiny = Fixture.tiny
  private static let nowhere = Fixture.nowhere

  static let arguments = [
    Refusal("train --nonsense", "Unknown option '--nonsense'"),
    Refusal("nonsense", "there is no command nonsense; the commands are train, train-classifier, sample"),
    Refusal("sample --checkpoint \(nowhere) --output \(nowhere).h5", "Missing expected argument ", "--count"),
    Refusal("train --preset fashion-mnits", "there is no preset fashion-mnits; did you mean fashion-mnist"),
    Refusal("presets cifar10-edn", "there is no preset cifar10-edn; did you mean cifar10-edm"),
    Refusal("train --config \(nowhere).yaml --preset shapes", "--preset and --config exclude each other"),
    Refusal("train \(tiny) --convolution quick --output \(nowhere)", "'quick' is invalid for '--convolution"),
    Refusal("train --threads 4611686018427387904", "--threads is 4611686018427387904; it must be at most 4096"),
    Refusal(
      "sample --checkpoint \(nowhere) --count 1 --steps 9223372036854775807 --output \(nowhere).h5",
      "invalid for '--steps <n>': it must be from 1 to 1000000"),
    Refusal("train --allow-other-data --output \(nowhere)", "--allow-other-data is for --resume"),
  ]

  static let keys = [
    Refusal("train --set training.learning_rat=1", "did you mean training.learning_rate"),
    Refusal("train --set training.batch=abc", "training.batch is abc; expected a whole number"),
    Refusal("train --set training.batch=30", "training.batch is 30, which training.micro_batch 4 does not divide"),
    Refusal("train --set data.name=imagenet --output \(nowhere)", "there is no data set \"imagenet\""),
    Refusal("train --set data.path=\(nowhere) --output \(nowhere)", "neither it nor its .gz exists"),
    Refusal(
      "train \(tiny) --set model.attention_resolutions=[7] --output \(nowhere)", "attention_resolutions has 7"),
    Refusal(
      "train \(tiny) --set \("training.ema_decays=[0.9, 0.9]") --output \(nowhere)",
      "training.ema_decays is [0.9, 0.9], which has a value twice"),
    Refusal(
      "train \(tiny) --set training.steps=9223372036854775807 --output \(nowhere)",
      "training.steps is 9223372036854775807; it must be from 1 to 4294967295"),
    Refusal(
      "train \(tiny) --set diffusion.steps=40000 --output \(nowhere)",
      "diffusion.steps 40000, diffusion.schedule linear, ", "the image is lost in the noise"),
    Refusal(
      "train \(tiny) --set model.channels=65536 --output \(nowhere)",
      "takes at least ", " TiB of memory", "parameters, their gradients, moments and averages (model.channels"),
    Refusal(
      "train \(tiny) --set training.batch=1048576 --set training.micro_batch=524288 --output \(nowhere)",
      "takes at least ", "iB of memory", "activations of training.micro_batch 524288 images"),
    Refusal("train --set diffusion.loss=edm --output \(nowhere)", "diffusion.loss: edm requires the process edm"),
    Refusal(
      "train --set diffusion.process=ve-sde --set diffusion.prediction=mean --output \(nowhere)",
      "diffusion.prediction: mean requires one of the discrete processes"),
    Refusal(
      "train \(tiny) --set model.classes=3 --output \(nowhere)",
      "model.classes is 3, but shapes has 5 classes (circle,"),
    Refusal(
      "train --set training.label_dropout=0.1 --output \(nowhere)",
      "label_dropout is 0.1, but the network has no classes"),
    Refusal(
      "train --set diffusion.variance=learned --output \(nowhere)",
      "diffusion.loss: simple does not train a learned variance"),
    Refusal(
      "train --set diffusion.time_sampling=loss-aware --set diffusion.process=edm --output \(nowhere)",
      "time_sampling is loss-aware, which requires diffusion.process vp and ve;"),
    Refusal(
      "train-classifier \(tiny) --set evaluation.every=2 --output \(nowhere)",
      "evaluation.every is 2, but a classifier draws no images"),
  ]

  static let files = [
    Refusal("train --config \(nowhere).yaml", "cannot open ", "/nowhere.yaml"),
    Refusal("train \(tiny) --output /proc/nowhere", "cannot create the folder /proc/nowhere"),
    Refusal(
      "train \(tiny) --trace \(nowhere)/\(String(repeating: "0", count: 240)) --output \(nowhere)",
      "trace: its absolute path has ", " bytes, but MPI libraries allow 244"),
    Refusal("train \(tiny) --trace \(nowhere)/none/t.h5 --output \(nowhere)", "cannot write ", "/none/t.h5"),
  ]

  @Test(arguments: arguments + keys + files)
  func isRefused(_ refusal: Refusal) async throws {
    try await refusal.check()
    #expect(!FileManager.default.fileExists(atPath: Self.nowhere))
  }

  /// These create the run's folder, which two jobs cannot have at the same time, and remove it again.
  @Test func preparedFoldersAreRemovedIfRefused() async throws {
    let folder = try TemporaryFolder()
    let run = "\(folder)/run"
    for refusal in [
      Refusal(
        "train \(Self.tiny) --set evaluation.every=2 --set evaluation.features=\(folder)/none.safetensors --output \(run)",
        "none.safetensors"),
      Refusal(
        "train \(Self.tiny) --output \(run)/\(String(repeating: "0", count: 200))",
        "checkpoints could not be saved: ", " bytes, but MPI libraries allow 244; use a shorter path"),
    ] {
      try await refusal.check(inTurn: true)
      #expect(try folder.names().isEmpty)
    }
  }

  @Test func aFileThatIsNotAConfigurationIsNamedWithTheLine() async throws {
    let folder = try TemporaryFolder()
    let bad = try folder.write(Array("training:\n  steps: [1\n".utf8), to: "bad.yaml")
    try await Refusal("train --config \(bad)", "bad.yaml:3: this is not YAML").check()
    var bomb = "a0: &a0 [1, 1]\n"
    for level in 1...30 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
    try folder.write(Array(bomb.utf8), to: "bomb.yaml")
    try await Refusal(
      "train --config \(folder)/bomb.yaml", "bomb.yaml: this is not a configuration: it has the alias *a"
    ).check()
  }

  @Test func aTruncatedDataSetIsNamed() async throws {
    let folder = try TemporaryFolder()
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
      try folder.write([UInt8](repeating: 0, count: 1000), to: name)
    }
    // Either of the two may be read first.
    try await Refusal("train --set data.path=\(folder) --output \(Self.nowhere)", "\(folder.path)/train-", "-idx")
      .check()
    #expect(!FileManager.default.fileExists(atPath: Self.nowhere))
  }

  @Test func aRunThatROMIOCouldNotSaveIsRefused() async throws {
    let folder = try TemporaryFolder()
    try await ddpm("train \(Self.tiny) --output \(folder)/x:y", environment: ["OMPI_MCA_io": "romio321"])
      .ends(2, saying: /checkpoints could not be saved: .* use a path without a colon/)
    #expect(try folder.names().isEmpty)
  }

  @Test func fewerMicroBatchesThanRanksAreRefused() async throws {
    try await ddpm("train \(Self.tiny) --set training.micro_batch=2 --output \(Self.nowhere)", ranks: 3).ends(
      2, saying: "training.batch 4 with training.micro_batch 2 gives 2 micro-batches, fewer than the 3 ranks")
    #expect(!FileManager.default.fileExists(atPath: Self.nowhere))
  }
}
