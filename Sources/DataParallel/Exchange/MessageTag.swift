/// The content of an exchange message, encoded as MPI's message tag.
///
/// From the lowest bit: 8 bits for the bucket's index, 5 for the sum's, 1 for the level, 1 for the kind. Buckets whose
/// indices differ by 256 share a tag. This is harmless: messages with the same pair of ranks and tag arrive in the
/// order in which they were sent, and are received in that order. (Only within a residual block, gradients may become
/// final in another order than from the end of the arena; 256 buckets have 64 Mi parameters or more.)
struct MessageTag {
  enum Kind: Int {
    case gradients
    case parameters
  }

  let number: Int

  /// The maximum number of sums of a rank on a level: at most twice the tree's height, so enough for 2¹⁶ micro-batches.
  static let sumLimit = 32

  init(_ kind: Kind, level: Int, sum: Int = 0, bucket: Int) {
    precondition(sum < Self.sumLimit && level < 2)
    number = ((kind.rawValue << 1 | level) << 5 | sum) << 8 | bucket & 255
  }
}
