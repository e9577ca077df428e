import ArgumentParser
import Diffusion

/// The numbers that options accept: more than anyone needs, but small enough that nothing computed from them overflows.
enum OptionRange {
  static let threads = 1...4096
  /// Images that pass through the network together.
  static let batch = 1...1 << 20
  /// Each image has its own stream of random numbers.
  static let imageNumbers = 0..<1 << 32
  static let images = 1...imageNumbers.count
  /// Members of the ensemble for one condition.
  static let members = 1...DrawNumber.memberLimit
  /// Steps of training or of a sampler.
  static let steps = 1...1_000_000
}

/// - Throws: an error that names the option, its value and the bound that it exceeds. A missing option is valid.
func require(_ option: String, _ value: Int?, in range: ClosedRange<Int>) throws(ValidationError) {
  guard let value, !range.contains(value) else { return }
  let bound = value < range.lowerBound ? "at least \(range.lowerBound)" : "at most \(range.upperBound)"
  throw ValidationError("\(option) is \(value); it must be \(bound).")
}

extension Option {
  /// An option that takes a number. The number may be negative: what follows the option is its value even if it begins
  /// with a dash.
  init(wrappedValue: Value, name: NameSpecification = .long, number help: String, valueName: String = "n")
  where Value: ExpressibleByArgument {
    self.init(
      wrappedValue: wrappedValue, name: name, parsing: .unconditional, help: ArgumentHelp(help, valueName: valueName))
  }

  /// The same without a default.
  init(name: NameSpecification = .long, number help: String, valueName: String = "n")
  where Value: ExpressibleByArgument {
    self.init(name: name, parsing: .unconditional, help: ArgumentHelp(help, valueName: valueName))
  }

  /// An option that takes a number and may be omitted.
  init<Number: ExpressibleByArgument>(
    name: NameSpecification = .long, number help: String, valueName: String = "n"
  ) where Value == Number? {
    self.init(name: name, parsing: .unconditional, help: ArgumentHelp(help, valueName: valueName))
  }
}
