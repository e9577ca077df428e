import Foundation

/// Command lines, of which one option has a value that nobody expects.
let options = Format(
  name: "options",
  example: {
    let lines = try commands.flatMap { command -> [String] in
      try optionNames(of: command[0]).map { (command + [$0, "1"]).joined(separator: "\n") }
    }
    return Example(["arguments": Array(lines.joined(separator: "\n\n").utf8)])
  },
  mutate: { input, _, generator in
    let lines = String(decoding: input, as: UTF8.self).components(separatedBy: "\n\n")
    var line = lines.randomElement(using: &generator)!.split(separator: "\n").map(String.init)
    // Values that name files must not name any outside of the folder.
    let values = (Mutator.numbers + Mutator.texts + ["fifo", "folder", "missing", "config.yaml"]).filter {
      !$0.contains("/") && $0 != ".." && !$0.utf8.contains(0)
    }
    line[line.count - 1] = values.randomElement(using: &generator)!
    return Array(line.joined(separator: "\n").utf8)
  },
  mayRefuseExample: true, mayBeSlow: true,
  read: { folder in
    let manager = FileManager.default
    let work = "\(folder)/work"
    try? manager.removeItem(atPath: work)
    try manager.createDirectory(atPath: "\(work)/folder", withIntermediateDirectories: true)
    mkfifo("\(work)/fifo", 0o600)
    let text = String(decoding: try contents(of: "\(folder)/arguments"), as: UTF8.self)
    let arguments = text.components(separatedBy: "\n\n")[0].components(separatedBy: "\n")
    try runProgram(arguments, in: work)
  })

/// What a command needs besides the option.
private let commands: [[String]] = [
  ["train", "--preset", "shapes", "--set", "training.steps=1", "--output", "run"],
  ["train-classifier", "--preset", "shapes", "--set", "training.steps=1", "--output", "run"],
  ["sample", "--checkpoint", "missing", "--output", "out.h5"], ["likelihood", "--checkpoint", "missing"],
  ["encode", "--checkpoint", "missing", "--output", "out.h5"],
  ["decode", "--checkpoint", "missing", "--latents", "fifo", "--output", "out.h5"],
  ["interpolate", "--checkpoint", "missing", "--output", "out.h5"], ["evaluate", "--checkpoint", "missing"],
  ["frechet", "folder", "fifo"], ["report", "folder"], ["export", "--checkpoint", "missing", "--output", "out"],
  ["import", "folder", "--output", "out.h5"], ["pack", "folder", "--output", "out.h5"], ["plan", "--preset", "shapes"],
  ["inspect", "fifo"], ["samplers"], ["presets"],
]

private let program: String = {
  let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  return ((own as NSString).deletingLastPathComponent as NSString).appendingPathComponent("ddpm-mpi")
}()

/// The options with values that a command's help lists.
private func optionNames(of command: String) throws -> [String] {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = [command, "--help"]
  let pipe = Pipe()
  process.standardOutput = pipe
  try process.run()
  let help = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  return help.matches(of: /(--[a-z-]+) </).map { String($0.1) }
}

/// Becomes the program. Its exit statuses from 1 to 6 are refusals; a signal is a failure.
private func runProgram(_ arguments: [String], in folder: String) throws {
  chdir(folder)
  // MPI and OpenBLAS reserve address space that they never use.
  ForkedRun.set(RLIMIT_AS, 4 << 30)
  let strings = (["ddpm-mpi"] + arguments).map { strdup($0) } + [nil]
  execv(program, strings)
  throw Problem("\(program) cannot be run")
}
