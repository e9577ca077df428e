/// The axes along which images are periodic: beyond their borders there, convolutions and filters see the pixels of the
/// opposite side instead of zeros, so that a shifted image has the shifted result.
package enum Periodicity: String, CaseIterable, Sendable {
  case none
  case width
  case height
  case both

  package var includesHeight: Bool {
    switch self {
    case .height, .both: true
    case .none, .width: false
    }
  }

  package var includesWidth: Bool {
    switch self {
    case .width, .both: true
    case .none, .height: false
    }
  }
}

extension Int {
  /// The index from 0 to `count` − 1 of the same pixel on a periodic axis of `count` pixels.
  @inline(__always)
  func wrapped(at count: Int) -> Int {
    let rest = self % count
    return rest < 0 ? rest + count : rest
  }
}
