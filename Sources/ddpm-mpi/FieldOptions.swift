import ArgumentParser
import Datasets
import TextFormatting

/// What to pack from files of fields, and how.
struct FieldOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Variables to pack as fields, in the order of channels (default: all that have the dimensions of fields).",
      valueName: "u,v,…"))
  var variables: String?

  @Option(help: ArgumentHelp("Names of the channels (default: those of the variables).", valueName: "a,b,…"))
  var names: String?

  @Option(help: "Order of an array's dimensions, if their names do not say it, or say something else.")
  var order: FieldOrder?

  @Option(number: "Levels to pack, by their coordinates or numbers (default: all).", valueName: "500,850,…")
  var levels: String?

  @Option(help: ArgumentHelp("Size of the fields' centre to pack.", valueName: "HxW"))
  var crop: FieldRecipe.Size?

  @Option(help: ArgumentHelp("Size to which the fields' border is repeated.", valueName: "HxW"))
  var pad: FieldRecipe.Size?

  @Option(number: "Add the means of blocks of n x n values of each variable, as further channels.")
  var coarse: Int?

  @Option(
    help:
      "Refuse missing values, or set them to the mean and add a channel that is 1 where there are values (default: refuse)."
  )
  var missing: FieldRecipe.Missing?

  func validate() throws {
    try require("--coarse", coarse, in: 2...1 << 16)
    if crop != nil && pad != nil { throw ValidationError("--crop and --pad exclude each other.") }
    for (option, text) in [("--variables", variables), ("--names", names), ("--levels", levels)] {
      guard let text else { continue }
      let parts = Self.parts(text)
      if parts.contains("") { throw ValidationError("\(option) has an empty name: \(text).") }
      if Set(parts).count < parts.count { throw ValidationError("\(option) has a name twice: \(text).") }
    }
    if let levels, let other = Self.parts(levels).first(where: { Double($0)?.isFinite != true }) {
      throw ValidationError("--levels has \(other), which is not a number.")
    }
  }

  /// Whether any of them was given, so that the sources must be fields.
  var areUsed: Bool {
    variables != nil || names != nil || order != nil || levels != nil || crop != nil || pad != nil || coarse != nil
      || missing != nil
  }

  var selection: FieldSelection {
    var selection = FieldSelection()
    selection.variables = variables.map(Self.parts) ?? []
    selection.order = order
    selection.levels = levels.map { Self.parts($0).compactMap { Double($0) } } ?? []
    return selection
  }

  var recipe: FieldRecipe {
    var recipe = FieldRecipe()
    recipe.crop = crop
    recipe.pad = pad
    recipe.coarse = coarse
    if let missing { recipe.missing = missing }
    return recipe
  }

  /// The parts of a list that commas separate.
  static func parts(_ list: String) -> [String] {
    list.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmedOfBlanks }
  }
}

extension FieldOrder: ExpressibleByArgument {}
extension FieldRecipe.Missing: ExpressibleByArgument {}

extension FieldRecipe.Size: ExpressibleByArgument {
  package init?(argument: String) {
    let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard sides.count == 2, sides.allSatisfy({ (1...1 << 16).contains($0) }) else { return nil }
    self.init(height: sides[0], width: sides[1])
  }
}
