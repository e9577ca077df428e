/// The meaning of a parameter's dimensions, stored beside each tensor of a checkpoint.
@usableFromInline package enum DimensionOrder: String, Sendable, Codable {
  /// Convolution kernel [kernel height, kernel width, input channels, output channels].
  case hwio = "HWIO"
  /// Matrix [inputs, outputs]: y = x·W.
  case io = "IO"
  /// Vector [channels].
  case c = "C"
}

/// One named tensor inside an arena.
@usableFromInline package struct ParameterEntry: Sendable, Equatable {
  package let name: String
  package let shape: [Int]
  package let order: DimensionOrder
  /// The start of the tensor, in floats from the start of the arena.
  @usableFromInline package let offset: Int

  @usableFromInline package var count: Int { shape.reduce(1, *) }
  package var range: Range<Int> { offset..<offset + count }
}

/// The layout of all parameters in a flat arena; gradients, moments and averages share it.
///
/// Entries start on cache lines, and the arena is padded to full reduction blocks. Padding holds zeros in every arena.
@usableFromInline package struct ParameterLayout: Sendable, Equatable {
  /// Floats per block of the fixed-order reductions (norms); the shard of a rank begins and ends at block boundaries.
  package static let blockSize = 4096
  private static let alignment = 16

  package private(set) var entries: [ParameterEntry] = []
  private var indices: [String: Int] = [:]
  private var end = 0

  @usableFromInline package init() {}

  /// Appends a parameter and returns its entry. Names must be unique.
  package mutating func add(_ name: String, shape: [Int], order: DimensionOrder) -> ParameterEntry {
    precondition(indices[name] == nil, "parameter \(name) is declared twice")
    let entry = ParameterEntry(name: name, shape: shape, order: order, offset: end)
    indices[name] = entries.count
    entries.append(entry)
    end = (entry.range.upperBound + Self.alignment - 1) / Self.alignment * Self.alignment
    return entry
  }

  package subscript(name: String) -> ParameterEntry? { indices[name].map { entries[$0] } }

  /// The size of an arena in floats, padding included.
  package var arenaCount: Int { (end + Self.blockSize - 1) / Self.blockSize * Self.blockSize }

  /// Parameters in the usual sense: elements of all entries, without padding.
  package var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }
}

/// One flat allocation for a role (values, gradients, first moment …) over all parameters.
@usableFromInline package struct Arena: Sendable {
  package let layout: ParameterLayout
  @usableFromInline package let buffer: FloatBuffer

  /// An arena of zeros.
  @usableFromInline package init(_ layout: ParameterLayout) {
    self.layout = layout
    self.buffer = FloatBuffer(count: layout.arenaCount)
    clear()
  }

  /// An arena in a buffer of its size, with the values that are there.
  package init(_ layout: ParameterLayout, in buffer: FloatBuffer) {
    verify(buffer.count == layout.arenaCount, "an arena of \(layout.arenaCount) floats does not fit its buffer")
    self.layout = layout
    self.buffer = buffer
  }

  @usableFromInline package var count: Int { buffer.count }

  /// A float by its place in the arena.
  @inlinable
  package subscript(index: Int) -> Float {
    get { buffer[index] }
    nonmutating set { buffer[index] = newValue }
  }

  /// Floats from the start of the arena, whatever parameters they belong to.
  package subscript(range: Range<Int>) -> Tensor { buffer[range] }

  package func clear() { Tensor(buffer).fill(0) }

  /// One parameter, a view of the arena.
  package func tensor(_ entry: ParameterEntry) -> Tensor {
    Tensor(shape: entry.shape, buffer: buffer, offset: entry.offset)
  }
}
