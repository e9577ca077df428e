import Files
import Foundation
import Images

/// Command lines in which one option has an unexpected value.
let options = Format(
  name: "options",
  example: {
    let lines = try commands.flatMap { command -> [String] in
      try optionNames(of: command[0]).map { (command + [$0, "1"]).joined(separator: "\n") }
    }
    return Example(
      ["arguments": Array(lines.joined(separator: "\n\n").utf8), "model.h5": try checkpoint()], changing: ["arguments"])
  },
  mutate: { input, _, generator in
    let lines = String(decoding: input, as: UTF8.self).components(separatedBy: "\n\n")
    var line = lines.randomElement(using: &generator)!.split(separator: "\n").map(String.init)
    // Values that are file names must not lead out of the folder.
    let values = (Mutator.numbers + Mutator.texts + ["fifo", "folder", "missing", "config.yaml"]).filter {
      !$0.contains("/") && $0 != ".." && !$0.utf8.contains(0)
    }
    line[line.count - 1] = values.randomElement(using: &generator)!
    return Array(line.joined(separator: "\n").utf8)
  },
  mayRefuseExample: true, secondLimit: 4, mayBeSlow: true,
  read: { folder in
    let manager = FileManager.default
    let work = "\(folder)/work"
    try? manager.removeItem(atPath: work)
    try manager.createDirectory(atPath: "\(work)/folder", withIntermediateDirectories: true)
    mkfifo("\(work)/fifo", 0o600)
    let image = Image(width: 32, height: 32, channels: 3, pixels: [UInt8](repeating: 9, count: 32 * 32 * 3))
    for name in ["a", "b"] { try PNG.write(image, to: "\(work)/folder/\(name).png") }
    let text = String(decoding: try contents(of: "\(folder)/arguments"), as: UTF8.self)
    let arguments = text.components(separatedBy: "\n\n")[0].components(separatedBy: "\n")
    try runProgram(arguments, in: work)
  })

/// A model that trains and draws almost immediately.
private let small =
  ["--preset", "shapes"]
  + [
    "model.channels=8", "model.groups=4", "model.multipliers=[1, 1]", "model.blocks=1",
    "model.attention_resolutions=[16]", "training.batch=2", "training.micro_batch=1", "training.steps=1",
    "sampling.count=1", "sampling.steps=2", "diffusion.process=vp-sde",
  ].flatMap { ["--set", $0] }

private let model = ["--checkpoint", "../model.h5"]

/// The arguments that a command needs besides the option.
private let commands: [[String]] = [
  ["train"] + small + ["--output", "run"],
  ["train-classifier"] + small + ["--output", "run"],
  ["benchmark"] + small + ["--steps", "1"],
  ["plan"] + small + ["--nodes", "1", "--cores-per-node", "1", "--network-gbps", "1"],
  ["sample"] + model + ["--count", "1", "--steps", "2", "--output", "out.h5"],
  ["restore"] + model
    + [
      "--measured", "folder", "--operator", "channels=0", "--method", "imputation", "--steps", "2", "--output",
      "out.h5",
    ],
  ["likelihood"] + model + ["--method", "ode", "--count", "1", "--tolerance", "1"],
  ["encode"] + model + ["--count", "1", "--tolerance", "1", "--output", "out.h5"],
  ["decode"] + model + ["--latents", "fifo", "--output", "out.h5"],
  ["interpolate"] + model + ["--tolerance", "1", "--grid", "out.png"],
  ["evaluate"] + model + ["--count", "2", "--steps", "2", "--reference-count", "2"],
  ["export"] + model + ["out"],
  ["fid", "folder", "folder"], ["pack", "folder", "--output", "out.h5"], ["report", "folder"],
  ["import", "folder", "--output", "out.h5"], ["doctor"],
]

private let program: String = {
  let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  return path(of: "ddpm-mpi", in: parentFolder(of: own))
}()

/// What the program prints.
private func output(of arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  try process.run()
  let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw Problem("\(arguments) ended with \(process.terminationStatus)") }
  return text
}

/// The options with values that a command's help lists.
private func optionNames(of command: String) throws -> [String] {
  Set(try output(of: [command, "--help"]).matches(of: /(--[a-z-]+) </).map { String($0.1) }).sorted()
}

/// A checkpoint of a small model after one step.
private func checkpoint() throws -> [UInt8] {
  let run = FileManager.default.temporaryDirectory.path + "/fuzz-run-\(UUID().uuidString)"
  defer { try? FileManager.default.removeItem(atPath: run) }
  _ = try output(of: ["train"] + small + ["--output", run])
  return try contents(of: "\(run)/checkpoints/step-00000001.h5")
}

/// Replaces the process by the program. Its exit statuses from 1 to 6 are refusals; a signal is a failure.
private func runProgram(_ arguments: [String], in folder: String) throws {
  chdir(folder)
  setenv("DDPM_REFERENCE_CACHE", "references", 1)
  // MPI and OpenBLAS reserve address space that they never use.
  ForkedRun.set(RLIMIT_AS, 4 << 30)
  let strings = (["ddpm-mpi"] + arguments).map { strdup($0) } + [nil]
  execv(program, strings)
  throw Problem("\(program) cannot be run")
}
