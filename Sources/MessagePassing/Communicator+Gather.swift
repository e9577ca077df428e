import CMPI

extension Communicator {
  /// Every rank's value, in the order of ranks (MPI 3.1, section 5.7).
  public func allGather<Element: MPIElement>(_ value: Element) throws(MPIError) -> [Element] {
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

  /// Every rank's text, in the order of ranks.
  public func allGatherStrings(_ text: String) throws(MPIError) -> [String] {
    let part = Array(text.utf8)
    let layout = try PackedTexts(lengths: try allGather(part.count), call: "MPI_Allgatherv")
    var bytes = [UInt8](repeating: 0, count: layout.byteCount)
    try wait("MPI_Allgatherv") {
      bytes.withUnsafeMutableBytes { bytes in
        part.withUnsafeBytes { part in
          ddpm_mpi_all_gather_parts(
            part.baseAddress, Int32(part.count), bytes.baseAddress, layout.counts, layout.displacements,
            ddpm_mpi_byte(), handle)
        }
      }
    }
    return layout.texts(in: bytes)
  }

  /// Every rank's text, in the order of ranks, on the root; nil elsewhere.
  public func gatherStrings(_ text: String, to root: Int) throws(MPIError) -> [String]? {
    try gatherParts(Array(text.utf8), to: root).map { layout, bytes in layout.texts(in: bytes) }
  }

  /// Every rank's bytes, one after the other in the order of ranks, on the root; nil elsewhere. Less than 2 GiB in all.
  public func gather(_ bytes: [UInt8], to root: Int) throws(MPIError) -> [UInt8]? {
    try gatherParts(bytes, to: root)?.bytes
  }

  private func gatherParts(
    _ part: [UInt8], to root: Int
  ) throws(MPIError) -> (layout: PackedTexts, bytes: [UInt8])? {
    precondition((0..<size).contains(root), "there is no rank \(root)")
    let layout = try PackedTexts(lengths: try allGather(part.count), call: "MPI_Gatherv")
    var bytes = [UInt8](repeating: 0, count: rank == root ? layout.byteCount : 0)
    try wait("MPI_Gatherv") {
      bytes.withUnsafeMutableBytes { bytes in
        part.withUnsafeBytes { part in
          ddpm_mpi_gather_parts(
            part.baseAddress, Int32(part.count), bytes.baseAddress, layout.counts, layout.displacements,
            ddpm_mpi_byte(), Int32(root), handle)
        }
      }
    }
    return rank == root ? (layout, bytes) : nil
  }

  /// Completes everybody's copy of an array of which each rank holds one part (MPI 3.1, section 5.7, in place).
  ///
  /// Rank r's part is the `counts[r]` elements at `displacements[r]`; both arrays are the same on all ranks.
  public func allGatherVariable<Element: MPIElement>(
    inPlace elements: UnsafeMutablePointer<Element>, counts: [Int], displacements: [Int]
  ) throws(MPIError) {
    let type = Element.datatype.handle
    precondition(counts.count == size && displacements.count == size, "one count and one displacement per rank")
    precondition(counts.allSatisfy { $0 >= 0 } && displacements.allSatisfy { $0 >= 0 }, "parts lie inside the array")
    let end = zip(counts, displacements).map(+).max() ?? 0
    if end <= Int(Int32.max), counts.allSatisfy({ $0 <= messageLimit }) {
      try wait("MPI_Allgatherv") {
        ddpm_mpi_all_gather_parts_in_place(
          elements, counts.map(Int32.init), displacements.map(Int32.init), type, handle)
      }
      return
    }
    // Displacements are 32-bit as well, so beyond that each rank broadcasts its part. All ranks decide alike, since
    // they decide by arguments that all of them have.
    for owner in 0..<size {
      for message in messages(count: counts[owner]) {
        let start = elements + displacements[owner] + message.lowerBound
        try wait("MPI_Bcast") { ddpm_mpi_broadcast(start, Int32(message.count), type, Int32(owner), handle) }
      }
    }
  }
}

/// Where each rank's text lies among the gathered bytes.
private struct PackedTexts {
  var counts: [Int32] = []
  var displacements: [Int32] = []
  var byteCount = 0

  init(lengths: [Int], call: String) throws(MPIError) {
    for length in lengths {
      counts.append(try int32(length, for: call))
      displacements.append(try int32(byteCount, for: call))
      byteCount += length
    }
  }

  func texts(in bytes: [UInt8]) -> [String] {
    zip(counts, displacements).map { count, start in
      String(decoding: bytes[Int(start)..<Int(start) + Int(count)], as: UTF8.self)
    }
  }
}
