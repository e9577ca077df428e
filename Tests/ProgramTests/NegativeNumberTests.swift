import Testing

struct NegativeNumberTests {
  /// The output of `--experimental-dump-help` for a command.
  private struct Help: Decodable {
    struct Command: Decodable {
      let commandName: String
      let arguments: [Argument]?
      let subcommands: [Command]?
    }
    struct Argument: Decodable {
      struct Name: Decodable { let name: String }
      let kind: String
      let valueName: String?
      let preferredName: Name?
    }
    let command: Command
  }

  @Test func everyNumberMayBeNegativeOnTheCommandLine() async throws {
    let help: Help = try decode(try await ddpm("--experimental-dump-help").output)
    var options: [(command: String, name: String)] = []
    for command in help.command.subcommands ?? [] {
      for argument in command.arguments ?? [] where argument.kind == "option" {
        guard ["n", "x", "k", "g", "m", "k,k,..."].contains(argument.valueName) else { continue }
        options.append((command.commandName, try #require(argument.preferredName).name))
      }
    }
    #expect(options.count > 60)
    for (command, name) in options {
      // It may be refused, but not as another option.
      let run = try await ddpm("\(command) --\(name) -1").ends(2)
      #expect(!run.says("Missing value"), "\(run)")
    }
  }
}
