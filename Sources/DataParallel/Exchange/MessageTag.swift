/// What a message of an exchange is about, as a number that MPI matches messages by.
///
/// Bits from the right: 8 of the bucket's index, 5 of the sum's, 1 of the level, 1 of the kind. Buckets 256 apart share
/// a number, which does no harm: messages of a pair and a tag arrive in the order in which they were sent, and are
/// asked for in that order.
struct MessageTag {
  enum Kind: Int {
    case gradients
    case parameters
  }

  let number: Int

  /// Sums that a rank may bring to a level: with at most twice the tree's height, enough for 2¹⁶ micro-batches.
  static let sumLimit = 32

  init(_ kind: Kind, level: Int, sum: Int = 0, bucket: Int) {
    precondition(sum < Self.sumLimit && level < 2)
    number = ((kind.rawValue << 1 | level) << 5 | sum) << 8 | bucket & 255
  }
}
