import ArgumentParser
import Configuration

/// Options that override the keys of `sampling`.
struct DrawingOptions: ParsableArguments {
  @Option(number: "Seed of latents and noise.")
  var seed: UInt64 = 0

  @Option(key: "sampling.sampler", valueName: "name") var sampler: KeyOption?
  @Option(key: "sampling.steps", valueName: "n") var steps: KeyOption?
  @Option(key: "sampling.spacing", valueName: "spacing") var spacing: KeyOption?
  @Option(key: "sampling.variance", valueName: "variance") var variance: KeyOption?
  @Option(key: "sampling.eta", valueName: "x") var eta: KeyOption?
  @Option(key: "sampling.corrections", valueName: "n") var corrections: KeyOption?
  @Option(key: "sampling.snr", valueName: "x") var snr: KeyOption?
  @Option(key: "sampling.tolerance", valueName: "x") var tolerance: KeyOption?
  @Option(key: "sampling.churn", valueName: "x") var churn: KeyOption?
  @Option(key: "sampling.churn_min", valueName: "x") var churnMin: KeyOption?
  @Option(key: "sampling.churn_max", valueName: "x") var churnMax: KeyOption?
  @Option(key: "sampling.churn_noise", valueName: "x") var churnNoise: KeyOption?
  @Option(key: "sampling.guidance", valueName: "g") var guidance: KeyOption?

  @Option(
    name: .customLong("class"), number: "Sample images of this class; none samples without a class.", valueName: "k")
  var classNumber: ClassNumber?

  @Option(number: "Sample images of these classes in turn.", valueName: "k,k,...")
  var classes: CommaSeparated<ClassNumber>?

  func validate() throws {
    if classNumber != nil && classes != nil { throw ValidationError("--class and --classes exclude each other.") }
  }

  var keys: [KeyOption] {
    [
      sampler, steps, spacing, variance, eta, corrections, snr, tolerance, churn, churnMin, churnMax, churnNoise,
      guidance,
    ].compactMap(\.self)
  }

  /// The classes of images in turn; nil for all that there are.
  var wantedClasses: [Int?]? { classNumber.map { [$0.number] } ?? classes?.elements.map(\.number) }
}

extension Option where Value == KeyOption? {
  /// An option for a key, with the key's name, description, parsing and checks.
  init(key name: String, valueName: String) {
    guard let key = ConfigurationKey.named(name) else { preconditionFailure("no key \(name)") }
    self.init(
      name: .customLong(String(key.optionName.dropFirst(2))), parsing: .unconditional,
      help: ArgumentHelp(
        "\(key.help.prefix(1).uppercased())\(key.help.dropFirst()). "
          + "Values: \(key.values) (default: the run's \(key.name)).",
        valueName: valueName),
      transform: { try KeyOption(key, $0) })
  }
}

/// A class, or none.
struct ClassNumber: ExpressibleByArgument {
  let number: Int?

  init?(argument: String) {
    if argument == "none" {
      number = nil
    } else {
      guard let value = Int(argument), value >= 0 else { return nil }
      number = value
    }
  }
}

/// Values with commas between them.
struct CommaSeparated<Element: ExpressibleByArgument>: ExpressibleByArgument {
  let elements: [Element]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    elements = parts.compactMap { Element(argument: String($0)) }
    if elements.count < parts.count { return nil }
  }
}
