/// The purpose of a folder's images, according to its name.
enum SplitRole: CaseIterable {
  case training
  case validation
  case test

  private var words: Set<String> {
    switch self {
    case .training: ["train", "training", "trn", "trainset", "trainingset", "trainval"]
    case .validation: ["val", "valid", "validation", "dev", "eval", "evaluation", "valset", "validationset"]
    case .test: ["test", "testing", "tests", "tst", "testset", "testingset"]
    }
  }

  /// Words that may accompany the role: `train_images`, `TestSet`, `val2017`.
  private static let neutralWords: Set = [
    "set", "split", "data", "dataset", "image", "images", "img", "imgs", "picture", "pictures", "photo", "photos",
    "folder", "files",
  ]

  /// The role of a name, if all its words agree.
  init?(_ name: String) { self.init(words: Self.words(of: name)) }

  private init?(words: [String]) {
    let words = words.filter { !Self.neutralWords.contains($0) }
    guard words.count == 1, let role = Self.allCases.first(where: { $0.words.contains(words[0]) }) else { return nil }
    self = role
  }

  /// The roles of subfolders; nil if they are not splits. Among splits, some subfolders may have no role.
  static func roles(of names: [String]) -> [SplitRole?]? {
    let ownRoles = names.map { SplitRole($0) }
    if ownRoles.contains(.training) { return ownRoles }
    // The parts in which the names differ: seg_train, seg_test.
    let words = names.map(words)
    let common = words.dropFirst().reduce(Set(words.first ?? [])) { $0.intersection($1) }
    let roles = words.map { SplitRole(words: $0.filter { !common.contains($0) }) }
    if roles.contains(.training), roles.contains(where: { $0 != nil && $0 != .training }) { return roles }
    return ownRoles.contains { $0 != nil } ? ownRoles : nil
  }

  /// Whether all names contain a word for a role, and there is more than one role: `cats_train`, `cats_test`,
  /// `dogs_train`, `dogs_test`.
  static func areMixed(in names: [String]) -> Bool {
    let roles = names.map { name in allCases.filter { !$0.words.isDisjoint(with: words(of: name)) } }
    return roles.allSatisfy { !$0.isEmpty } && Set(roles.joined()).count > 1
  }

  /// Sequences of letters in lower case, also split where a capital follows a lower-case letter.
  private static func words(of name: String) -> [String] {
    var words: [String] = []
    var previous: Character = " "
    for character in name {
      if !character.isLetter {
        previous = " "
        continue
      }
      if previous == " " || (previous.isLowercase && character.isUppercase) { words.append("") }
      words[words.count - 1] += character.lowercased()
      previous = character
    }
    return words
  }
}
