import CProcessor

/// A set of processors of a machine, by Linux's numbers; each hardware thread of a core counts.
@usableFromInline
package struct ProcessorSet: Codable, Hashable, Sendable, CustomStringConvertible, LosslessStringConvertible {
  /// In ascending order, without duplicates.
  package let numbers: [Int]

  @usableFromInline package init(_ numbers: some Sequence<Int>) { self.numbers = Set(numbers).sorted() }

  @usableFromInline package var count: Int { numbers.count }

  /// The processors that the calling thread may run on (sched_getaffinity(2)); threads that it starts inherit them.
  package static var usable: ProcessorSet {
    let count = ddpm_usable_processors(nil, 0)
    // If the system does not report the set, there is at least the processor that this runs on.
    guard count > 0 else { return ProcessorSet([0]) }
    var numbers = [Int32](repeating: 0, count: Int(count))
    let present = ddpm_usable_processors(&numbers, count)
    return ProcessorSet(numbers.prefix(Int(max(present, 0))).map(Int.init))
  }

  /// In Linux's list format: `0-3,8`.
  @usableFromInline package var description: String {
    var runs: [ClosedRange<Int>] = []
    for number in numbers {
      if let last = runs.last, last.upperBound + 1 == number {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
  }

  /// Parses a list in that format.
  @usableFromInline package init?(_ description: String) {
    var numbers: [Int] = []
    for run in description.split(separator: ",") {
      let bounds = run.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(bounds.count), let first = bounds[0], let last = bounds[bounds.count - 1], first <= last
      else { return nil }
      numbers += first...last
    }
    self.init(numbers)
  }
}
