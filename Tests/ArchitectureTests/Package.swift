import Foundation

/// The package as described by `swift package`, with the imports of its files.
struct Package {
  struct Target: Decodable {
    let name: String
    let type: String
    let path: String?
    let dependencies: [Dependency]

    /// The folder of its files, relative to the package's folder.
    var folder: String { path ?? (type == "test" ? "Tests/" : "Sources/") + name }
    var isProduct: Bool { folder.hasPrefix("Sources/") }
  }

  /// A module that a target names: `{"byName": ["Tensors", null]}`, or a product of another package.
  struct Dependency: Decodable {
    let module: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let value = try container.decode([String: [String?]].self)
      guard let name = value.values.first?.first, let name else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "a dependency without a name")
      }
      module = name
    }
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized.path

  let targets: [Target]

  /// The modules that targets may depend on: the package's own, and those of other packages that some target depends
  /// on.
  var modules: Set<String> { Set(targets.map(\.name) + targets.flatMap { $0.dependencies.map(\.module) }) }

  static func read() throws -> Package {
    struct Description: Decodable { let targets: [Target] }
    let scratch = FileManager.default.temporaryDirectory.appending(path: "ddpm-mpi-dump-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    // In a separate folder, since the build's may be locked by the command that runs this test.
    process.arguments = ["swift", "package", "--package-path", folder, "--scratch-path", scratch, "dump-package"]
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Package(targets: try JSONDecoder().decode(Description.self, from: data).targets)
  }

  /// The Swift files of a folder, as paths below the package's folder.
  static func swiftFiles(in folder: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: "\(Self.folder)/\(folder)")?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".swift") }.map { "\(folder)/\($0)" }.sorted()
  }

  static func text(_ file: String) throws -> String {
    try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
  }

  /// The modules that a target's Swift files import, each with one of the files.
  func imports(of target: Target) throws -> [String: String] {
    var imports: [String: String] = [:]
    let statement = /(?m)^(?:@\w+ )*(?:(?:package|internal|private) )?import (?:(?:struct|enum|func|class) )?(\w+)/
    for file in Self.swiftFiles(in: target.folder) {
      for match in try Self.text(file).matches(of: statement) { imports[String(match.1)] = file }
    }
    return imports
  }
}
