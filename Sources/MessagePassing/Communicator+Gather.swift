import CMessagePassing
import Tensors

extension Communicator {
  /// Every rank's value, in the order of ranks (MPI 3.1, section 5.7).
  package func allGather<Element: MPIElement>(_ value: Element) throws(MPIError) -> [Element] {
    var values = [Element](repeating: value, count: size)
    try wait("MPI_Allgather") {
      values.withUnsafeMutableBytes { values in
        withUnsafeBytes(of: value) { value in
          ddpm_mpi_all_gather(value.baseAddress, values.baseAddress, 1, Element.datatype.handle, handle)
        }
      }
    }
    return values
  }

  /// Every rank's elements, concatenated in the order of ranks, on all ranks (MPI 3.1, section 5.7).
  /// - Parameter counts: the number of elements of each rank, the same on all ranks.
  package func allGather<Element: MPIElement>(
    _ elements: [Element], counts: [Int]
  ) throws(MPIError) -> [Element] {
    precondition(elements.count == counts[rank], "this rank has \(elements.count) elements, not \(counts[rank])")
    let parts = parts(counts)
    let all = Buffer<Element>(count: parts.last?.upperBound ?? 0)
    all.store(elements, at: parts[rank].lowerBound)
    try allGather(parts, of: all)
    return all.elements
  }

  /// Completes a buffer on all ranks, of which each rank holds one part (MPI 3.1, section 5.7, in place).
  /// - Parameter parts: the part of each rank, the same on all ranks. Elements outside of the parts do not change.
  package func allGather<Element: MPIElement>(_ parts: [Range<Int>], of buffer: Buffer<Element>) throws(MPIError) {
    precondition(parts.count == size, "there must be one part per rank")
    precondition(parts.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= buffer.count }, "parts exceed the buffer")
    if parts.allSatisfy({ $0.upperBound <= Int(Int32.max) && $0.count <= messageLimit }) {
      try wait("MPI_Allgatherv") {
        ddpm_mpi_all_gather_parts_in_place(
          buffer.pointer, parts.map { Int32($0.count) }, parts.map { Int32($0.lowerBound) }, Element.datatype.handle,
          handle)
      }
    } else {
      // Displacements have 32 bits too; beyond that each rank broadcasts its part. All ranks decide alike, since the
      // decision depends only on arguments that are equal on all ranks.
      for (owner, part) in parts.enumerated() {
        try broadcast(buffer, part: part, from: owner)
      }
    }
    withExtendedLifetime(buffer) {}
  }

  /// Every rank's elements, concatenated in the order of ranks, on the root; nil on other ranks.
  package func gather<Element: MPIElement>(_ elements: [Element], to root: Int) throws(MPIError) -> [Element]? {
    precondition((0..<size).contains(root), "there is no rank \(root)")
    let parts = parts(try allGather(elements.count))
    let all = rank == root ? TypedTensor<Element>(uninitialised: [parts.last?.upperBound ?? 0]) : nil
    try gather(TypedTensor(elements, shape: [elements.count]), as: parts, of: all, to: root)
    return all?.elements
  }

  /// Completes a tensor of the root, of which each rank holds one part (MPI 3.1, section 5.5).
  /// - Parameters:
  ///   - part: this rank's elements.
  ///   - parts: the range of each rank's elements in the whole, the same on all ranks. Elements outside of them do not
  ///     change.
  ///   - whole: the root's tensor; nil on other ranks.
  package func gather<Element: MPIElement>(
    _ part: TypedTensor<Element>, as parts: [Range<Int>], of whole: TypedTensor<Element>?, to root: Int
  ) throws(MPIError) {
    precondition(parts.count == size, "there must be one part per rank")
    precondition(part.count == parts[rank].count, "this rank has \(part.count) elements, not \(parts[rank].count)")
    precondition((whole != nil) == (rank == root), "the root alone has the whole")
    precondition(
      parts.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= whole?.count ?? .max }, "parts exceed the whole")
    // Displacements have 32 bits too, so a call gathers what belongs to one piece of the whole.
    for piece in messages(count: parts.map(\.upperBound).max() ?? 0) {
      let pieces = parts.map { $0.clamped(to: piece) }
      let mine = pieces[rank]
      let start = mine.isEmpty ? 0 : mine.lowerBound - parts[rank].lowerBound
      try wait("MPI_Gatherv") {
        ddpm_mpi_gather_parts(
          part.pointer + start, Int32(mine.count), whole.map { $0.pointer + piece.lowerBound },
          pieces.map { Int32($0.count) }, pieces.map { Int32($0.lowerBound - piece.lowerBound) },
          Element.datatype.handle, Int32(root), handle)
      }
    }
    withExtendedLifetime((part, whole)) {}
  }

  /// The ranges of each rank's elements if they are concatenated in the order of ranks.
  func parts(_ counts: [Int]) -> [Range<Int>] {
    var end = 0
    return counts.map { count in
      end += count
      return end - count..<end
    }
  }
}
