import Foundation
import TestSupport
import Testing

/// Outputs appear completely or not at all, and never replace an input, a device or another output; links are followed.
struct OutputFileTests {
  private typealias Inputs = OutputCommand.Inputs

  @Test(arguments: OutputCommand.all)
  func inputsAreNotReplacedUnderAnyName(of output: OutputCommand) async throws {
    let inputs = try await Inputs.made
    guard let input = output.input(inputs) else { return }
    let folder = try TemporaryFolder()
    let (link, hardLink) = (folder.path("link"), folder.path("hard"))
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: input)
    try FileManager.default.linkItem(atPath: input, toPath: hardLink)
    let before = try Data(contentsOf: URL(filePath: input))
    let file = URL(filePath: input)
    var names = [input, "\(file.deletingLastPathComponent().path)/./\(file.lastPathComponent)", link]
    // Another name of a file in a run's folder does not belong to the folder.
    if input != inputs.checkpointOfRun { names.append(hardLink) }
    for name in names {
      try await ddpm(output.words(inputs, name, folder.path))
        .ends(2, saying: /which is read; choose another file|is a file of the run itself/)
    }
    #expect(try Data(contentsOf: file) == before)
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == input)
  }

  @Test(arguments: OutputCommand.all)
  func pipesAndDevicesAreNotReplaced(of output: OutputCommand) async throws {
    let inputs = try await Inputs.made
    let folder = try TemporaryFolder()
    func kind(_ name: String) -> mode_t {
      var information = stat()
      return lstat(folder.path(name + output.ending), &information) == 0 ? information.st_mode & S_IFMT : 0
    }
    #expect(mkfifo(folder.path("pipe" + output.ending), 0o600) == 0)
    try await ddpm(output.words(inputs, folder.path("pipe"), folder.path))
      .ends(2, saying: /is a pipe, not a file|pipe\.h5 exists/)
    #expect(kind("pipe") == S_IFIFO)
    // /dev/full, which only root can make.
    let device = folder.path("device" + output.ending)
    guard try await command("mknod \(device) c 1 7").status == 0 else { return }
    try await ddpm(output.words(inputs, folder.path("device"), folder.path))
      .ends(2, saying: /is a device, not a file|device\.h5 exists/)
    #expect(kind("device") == S_IFCHR)
  }

  @Test(.enabled(if: geteuid() == 0, "mounting needs root"), arguments: OutputCommand.all)
  func aFullDiskIsAnErrorAndLeavesNothing(of output: OutputCommand) async throws {
    let inputs = try await Inputs.made
    let folder = try TemporaryFolder()
    let disk = try folder.createFolder("disk")
    let mounting = try await command("mount -t tmpfs -o size=4k tmpfs \(disk)")
    guard mounting.status == 0 else { return }
    try folder.write([UInt8](repeating: 0, count: 4096), to: "disk/full")
    let run = try await ddpm(output.words(inputs, disk + "/out", disk))
    #expect([1, 2, 4].contains(run.status), "\(run)")
    #expect(try folder.names(in: "disk") == ["full"])
    try await command("umount \(disk)").succeeds()
  }

  @Test(arguments: OutputCommand.all)
  func aLinkIsFollowed(of output: OutputCommand) async throws {
    let inputs = try await Inputs.made
    let folder = try TemporaryFolder()
    let (link, target) = ("link" + output.ending, "target" + output.ending)
    try FileManager.default.createSymbolicLink(atPath: folder.path(link), withDestinationPath: target)
    try await ddpm(output.words(inputs, folder.path("link"), folder.path)).succeeds()
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder.path(link)) == target)
    #expect(try Data(contentsOf: URL(filePath: folder.path(target))).count > 0)
    #expect(try !folder.names().contains { $0.contains("partial") }, "nothing else is left")
  }

  @Test func outputsMustBeDifferentFiles() async throws {
    let inputs = try await Inputs.made
    let folder = try TemporaryFolder()
    try folder.createFolder("sub")
    try await ddpm(
      "sample --checkpoint \(inputs.model) --count 1 --output \(folder)/sub/same --grid \(folder)/sub/../sub/same"
    ).ends(2, saying: /grid .* and --output are the same file; choose different files/)
  }

  @Test func ranksReportOnceThatAnInputWouldBeReplaced() async throws {
    let model = try await Inputs.made.model
    let run = try await ddpm("sample --checkpoint \(model) --count 1 --output \(model)", ranks: 2)
    run.ends(2, saying: "would replace --checkpoint")
    #expect(run.messages.count == 1)
  }

  @Test func aFolderWithTheModelInItIsNotReplaced() async throws {
    let inputs = try await Inputs.made
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: inputs.exported, toPath: folder.path("exported"))
    let model = try folder.createFolder("exported/inner") + "/model.h5"
    try FileManager.default.copyItem(atPath: inputs.model, toPath: model)
    try await ddpm("export --checkpoint \(model) --force \(folder)/exported")
      .ends(2, saying: "would replace --checkpoint")
    #expect(FileManager.default.contentsEqual(atPath: model, andPath: inputs.model))
  }
}
