import ArgumentParser
import Inference

/// What classes images are drawn of, and how strongly they are led there.
struct ConditionOptions: ParsableArguments {
  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: ArgumentHelp("Draw images of this class; none draws without one.", valueName: "k"))
  var classNumber: ClassNumber?

  @Option(parsing: .unconditional, help: ArgumentHelp("Draw images of these classes in turn.", valueName: "k,k,..."))
  var classes: ClassNumbers?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "How much more strongly than they would by themselves images are led to their class (default: 0).",
      valueName: "g"))
  var guidance: Double?

  func validate() throws {
    if classNumber != nil && classes != nil { throw ValidationError("--class and --classes exclude each other.") }
    if let guidance, !guidance.isFinite { throw ValidationError("--guidance is \(guidance); it must be finite.") }
  }

  var request: ClassConditions.Request {
    ClassConditions.Request(classes: classNumber.map { [$0.number] } ?? classes?.numbers, guidance: guidance)
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

struct ClassNumbers: ExpressibleByArgument {
  let numbers: [Int?]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      ClassNumber(argument: String($0))
    }
    guard !parts.contains(where: { $0 == nil }) else { return nil }
    numbers = parts.map { $0!.number }
  }
}
