import Reporting

/// The images of a drawing by their numbers: consecutive ones or, for consecutive conditions, several members of each.
package struct DrawnSet: Sendable, Equatable {
  /// The first image or condition.
  package var first: Int
  /// The number of images or conditions.
  package var count: Int
  /// The number of images for each condition; nil without conditions.
  package var members: Int?

  package init(first: Int = 0, count: Int, members: Int? = nil) {
    self.first = first
    self.count = count
    self.members = members
  }

  /// The numbers of the images. Member m of condition i has the number i · members + m.
  package var numbers: Range<Int> {
    let members = members ?? 1
    return first * members..<(first + count) * members
  }

  /// How many there are, in a message: `64 images`, `8 fields for each of 4 conditions`.
  func description(noun: String) -> String {
    guard let members else { return ProgressFormat.count(count, of: noun) }
    return "\(ProgressFormat.count(members, of: noun)) for each of \(ProgressFormat.count(count, of: "condition"))"
  }

  /// The name of an image's file, without an ending: `000007`, or `000007-0002` for member 2 of condition 7. Names have
  /// enough digits to sort, and are the same for any range below a million.
  func name(of number: Int) -> String {
    let members = members ?? 1
    let condition = padded(number / members, like: max(first + count - 1, 999_999))
    return self.members == nil ? condition : "\(condition)-\(padded(number % members, like: max(members - 1, 9999)))"
  }
}

/// A number with as many digits as the largest one has.
func padded(_ number: Int, like largest: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: String(largest).count - digits.count) + digits
}
