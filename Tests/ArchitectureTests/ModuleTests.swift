import Testing

/// The imports, the dependencies in Package.swift, and the order of layers in docs/architecture.md.
struct ModuleTests {
  private let package: Package

  init() throws { package = try Package.read() }

  @Test func everyImportIsADeclaredDependency() throws {
    let modules = package.modules
    for target in package.targets {
      let declared = Set(target.dependencies.map(\.module))
      for (module, file) in try package.imports(of: target) where modules.contains(module) {
        #expect(
          declared.contains(module), "\(file) imports \(module), which Package.swift does not give \(target.name)")
      }
    }
  }

  @Test func everyDeclaredDependencyIsImported() throws {
    for target in package.targets {
      let imports = try package.imports(of: target)
      // Targets in C include headers.
      guard !Package.swiftFiles(in: target.folder).isEmpty else { continue }
      for dependency in target.dependencies {
        #expect(imports[dependency.module] != nil, "no file of \(target.name) imports \(dependency.module)")
      }
    }
  }

  @Test func modulesImportOnlyThoseBelowThem() throws {
    let order = try layers()
    let products = package.targets.filter(\.isProduct)
    #expect(Set(order) == Set(products.map(\.name)), "the table of docs/architecture.md and Package.swift differ")
    #expect(Set(order).count == order.count)
    let levels = Dictionary(zip(order, order.indices)) { first, _ in first }
    for target in products {
      let own = try #require(levels[target.name])
      for dependency in target.dependencies.map(\.module) {
        guard let level = levels[dependency] else { continue }
        #expect(level > own, "\(target.name) depends on \(dependency), which docs/architecture.md has above it")
      }
    }
  }

  @Test func onlyTestsDependOnTestSupport() {
    let support = Set(package.targets.filter { !$0.isProduct }.map(\.name) + ["Subprocess"])
    for target in package.targets where target.isProduct {
      #expect(support.isDisjoint(with: target.dependencies.map(\.module)), "\(target.name)")
    }
  }

  /// `CommandLine.arguments` may be empty: see `givenArguments`.
  @Test func nothingReadsSwiftsCommandLine() throws {
    for file in Package.swiftFiles(in: "Sources") {
      #expect(try !Package.text(file).contains(/(?m)^[^\/\n]*CommandLine\./), "\(file)")
    }
  }

  /// No other package can import the modules of a program.
  @Test func nothingIsPublic() throws {
    for file in Package.swiftFiles(in: "Sources") {
      let declaration = try Package.text(file).firstMatch(of: /(?m)^ *(?:@[^\n]*)?(?:public|open) [^\n]*/)
      #expect(declaration == nil, "\(file): \(declaration?.0 ?? "")")
    }
  }

  /// With `-Ounchecked` a `precondition` checks nothing; `verify` does.
  @Test func uncheckedModulesHaveNoPreconditions() throws {
    for module in ["MicroKernels", "Kernels", "Spectra", "Inception"] {
      for file in Package.swiftFiles(in: "Sources/\(module)") {
        #expect(try !Package.text(file).contains(/\bprecondition\(/), "\(file)")
      }
    }
  }

  /// The modules in the table of docs/architecture.md, from the top to the bottom.
  private func layers() throws -> [String] {
    let lines = try Package.text("docs/architecture.md").split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "| module | contents |"))
    return lines[(start + 2)...].prefix { $0.hasPrefix("|") }.flatMap { line in
      line.split(separator: "|")[0].matches(of: /`([^`]+)`/).map { String($0.1) }
    }
  }
}
