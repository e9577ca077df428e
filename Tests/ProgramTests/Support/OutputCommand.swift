import Foundation
import Interchange
import Testing

/// A command that writes a file, and a file that it reads.
struct OutputCommand: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// The extension of the output's name.
  let ending: String
  /// The file that it reads, if any.
  let input: @Sendable (Inputs) -> String?
  /// - Parameters:
  ///   - output: the output's name, without the extension.
  ///   - folder: the folder for other files that it writes.
  let words: @Sendable (Inputs, _ output: String, _ folder: String) -> Words

  private init(
    _ name: String, ending: String = "", reads input: @escaping @Sendable (Inputs) -> String?,
    words: @escaping @Sendable (Inputs, _ output: String, _ folder: String) -> Words
  ) {
    testDescription = name
    self.ending = ending
    self.input = input
    self.words = words
  }

  /// The files that the commands read, created once.
  struct Inputs: Sendable {
    let folder: String
    var run: String { folder + "/run" }
    var checkpointOfRun: String { run + "/checkpoints/step-00000001.h5" }
    var configuration: String { run + "/config.yaml" }
    var model: String { folder + "/model.h5" }
    var fieldModel: String { folder + "/field-model.h5" }
    var colourModel: String { folder + "/colours/checkpoints/step-00000001.h5" }
    var classifier: String { folder + "/classifier/checkpoints/step-00000001.h5" }
    var images: String { folder + "/drawn.h5" }
    var statistics: String { folder + "/statistics.npz" }
    var exported: String { folder + "/exported" }
    var packed: String { folder + "/packed.h5" }

    static let brief: Words = """
      --preset shapes --set training.batch=2 --set training.micro_batch=1 --set training.steps=1
      --set training.checkpoint_every=1 --set training.sample_every=1 --set sampling.count=1 --set sampling.steps=1
      --set model.multipliers=[1,1]
      """

    private static let task = Task {
      let inputs = Inputs(folder: Fixture.root.path("inputs"))
      func make(_ words: Words) async throws {
        let run = try await ddpm(words)
        guard run.status == 0 else { throw CommandFailure(run: run) }
      }
      try await make("train \(brief) --output \(inputs.run)")
      try FileManager.default.copyItem(atPath: inputs.checkpointOfRun, toPath: inputs.model)
      try await make("train \(brief) --set data.name=gaussian-field --output \(inputs.folder)/fields")
      try FileManager.default.copyItem(
        atPath: inputs.folder + "/fields/checkpoints/step-00000001.h5", toPath: inputs.fieldModel)
      try await make("train \(brief) --set data.conditions=[grey] --output \(inputs.folder)/colours")
      try await make("train-classifier \(brief) --output \(inputs.folder)/classifier")
      try await make("sample --checkpoint \(inputs.model) --steps 1 --count 2 --float --output \(inputs.images)")
      try await make("export --checkpoint \(inputs.model) \(inputs.exported)")
      try await make("pack \(inputs.images) --output \(inputs.packed)")
      // Of features with four numbers each.
      let identity = (0..<16).map { $0.isMultiple(of: 5) ? 1.0 : 0 }
      let statistics = try NumpyArchive.contents(
        of: [.init("mu", shape: [4], [0, 0, 0, 0]), .init("sigma", shape: [4, 4], identity)], path: inputs.statistics)
      try statistics.write(to: URL(filePath: inputs.statistics))
      return inputs
    }

    static var made: Inputs { get async throws { try await task.value } }
  }

  static let all = [
    OutputCommand("sample", reads: \.model) { inputs, output, _ in
      "sample --checkpoint \(inputs.model) --steps 1 --count 1 --output \(output)"
    },
    OutputCommand("sample from latents", reads: \.images) { inputs, output, _ in
      "sample --checkpoint \(inputs.model) --steps 1 --count 2 --latents \(inputs.images) --output \(output)"
    },
    OutputCommand("sample for conditions", reads: \.images) { inputs, output, _ in
      "sample --checkpoint \(inputs.colourModel) --steps 1 --condition \(inputs.images) --output \(output)"
    },
    OutputCommand("sample of fields", reads: \.fieldModel) { inputs, output, _ in
      "sample --checkpoint \(inputs.fieldModel) --steps 1 --count 1 --output \(output)"
    },
    OutputCommand("sample of fields --grid", reads: \.fieldModel) { inputs, output, folder in
      "sample --checkpoint \(inputs.fieldModel) --steps 1 --count 1 --output \(folder)/other.h5 --grid \(output)"
    },
    OutputCommand("sample --grid", reads: \.model) { inputs, output, folder in
      "sample --checkpoint \(inputs.model) --steps 1 --count 1 --output \(folder)/other.h5 --grid \(output)"
    },
    OutputCommand("sample from a run", reads: \.checkpointOfRun) { inputs, output, _ in
      "sample --checkpoint \(inputs.run) --steps 1 --count 1 --output \(output)"
    },
    OutputCommand("restore", reads: \.images) { inputs, output, _ in
      """
      restore --checkpoint \(inputs.model) --measured \(inputs.images) --operator channels=red --method imputation
      --steps 1 --output \(output)
      """
    },
    OutputCommand("encode", reads: \.model) { inputs, output, _ in
      "encode --checkpoint \(inputs.model) --tolerance 0.1 --count 1 --output \(output)"
    },
    OutputCommand("decode", reads: \.images) { inputs, output, _ in
      "decode --checkpoint \(inputs.model) --tolerance 0.1 --latents \(inputs.images) --output \(output)"
    },
    OutputCommand("decode --grid", reads: \.model) { inputs, output, folder in
      """
      decode --checkpoint \(inputs.model) --tolerance 0.1 --latents \(inputs.images) --output \(folder)/other.h5
      --grid \(output)
      """
    },
    OutputCommand("interpolate --grid", reads: \.model) { inputs, output, _ in
      "interpolate --checkpoint \(inputs.model) --tolerance 0.1 --rows 1 --columns 2 --random --grid \(output)"
    },
    OutputCommand("fid", reads: \.statistics) { inputs, output, _ in
      "fid \(inputs.statistics) \(inputs.statistics) --save-statistics \(output)"
    },
    OutputCommand("report", reads: \.configuration) { inputs, output, _ in
      "report \(inputs.run) --output \(output)"
    },
    OutputCommand("export", reads: \.classifier) { inputs, output, _ in
      "export --checkpoint \(inputs.classifier) --format features --name mine --force \(output)"
    },
    OutputCommand("import", ending: ".h5", reads: { _ in nil }) { inputs, output, _ in
      "import \(inputs.exported) --output \(output).h5"
    },
    OutputCommand("pack", reads: \.images) { inputs, output, _ in
      "pack \(inputs.images) --force --output \(output)"
    },
    OutputCommand("train --trace", reads: \.packed) { inputs, output, _ in
      """
      train \(Inputs.brief) --set data.name=hdf5 --set data.path=\(inputs.packed) --output \(inputs.folder)/traced-\(UUID())
      --trace \(output)
      """
    },
  ]
}
