import CBuildTarget
import CProcessor

/// One row of a block of C, or of a strip of B, in registers.
protocol RowOfVectors {
  /// Zeros.
  init()
  init(loading pointer: UnsafePointer<Float>)
  static func prefetchToWrite(_ pointer: UnsafePointer<Float>)
  /// self += factor·row.
  mutating func addProduct(_ factor: Float, _ row: Self)
  /// Overwrites what is at `pointer`, or adds to it.
  func store(_ pointer: UnsafeMutablePointer<Float>, _ accumulates: Bool)
  /// Overwrites what is at `pointer` with max(self + bias, least).
  func store(_ pointer: UnsafeMutablePointer<Float>, bias: Self, minimum: Float)
}

struct OneVector: RowOfVectors {
  private var x = Vector()

  init() {}
  @inline(__always) init(loading pointer: UnsafePointer<Float>) { x = load16(pointer) }

  @inline(__always) static func prefetchToWrite(_ pointer: UnsafePointer<Float>) { ddpm_prefetch_to_write(pointer) }

  @inline(__always) mutating func addProduct(_ factor: Float, _ row: Self) {
    x = x.addingProduct(Vector(repeating: factor), row.x)
  }

  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ accumulates: Bool) {
    store16(accumulates ? load16(pointer) + x : x, pointer)
  }

  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, bias: Self, minimum: Float) {
    store16((x + bias.x).limited(below: minimum), pointer)
  }
}

struct TwoVectors: RowOfVectors {
  private var x = Vector()
  private var y = Vector()

  init() {}
  @inline(__always) init(loading pointer: UnsafePointer<Float>) { (x, y) = (load16(pointer), load16(pointer + 16)) }

  @inline(__always) static func prefetchToWrite(_ pointer: UnsafePointer<Float>) {
    ddpm_prefetch_to_write(pointer)
    ddpm_prefetch_to_write(pointer + 16)
  }

  @inline(__always) mutating func addProduct(_ factor: Float, _ row: Self) {
    let factor = Vector(repeating: factor)
    x = x.addingProduct(factor, row.x)
    y = y.addingProduct(factor, row.y)
  }

  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ accumulates: Bool) {
    store16(accumulates ? load16(pointer) + x : x, pointer)
    store16(accumulates ? load16(pointer + 16) + y : y, pointer + 16)
  }

  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, bias: Self, minimum: Float) {
    store16((x + bias.x).limited(below: minimum), pointer)
    store16((y + bias.y).limited(below: minimum), pointer + 16)
  }
}

struct ThreeVectors: RowOfVectors {
  private var x = Vector()
  private var y = Vector()
  private var z = Vector()

  init() {}
  @inline(__always) init(loading pointer: UnsafePointer<Float>) {
    (x, y, z) = (load16(pointer), load16(pointer + 16), load16(pointer + 32))
  }

  @inline(__always) static func prefetchToWrite(_ pointer: UnsafePointer<Float>) {
    ddpm_prefetch_to_write(pointer)
    ddpm_prefetch_to_write(pointer + 16)
    ddpm_prefetch_to_write(pointer + 32)
  }

  @inline(__always) mutating func addProduct(_ factor: Float, _ row: Self) {
    let factor = Vector(repeating: factor)
    x = x.addingProduct(factor, row.x)
    y = y.addingProduct(factor, row.y)
    z = z.addingProduct(factor, row.z)
  }

  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, _ accumulates: Bool) {
    store16(accumulates ? load16(pointer) + x : x, pointer)
    store16(accumulates ? load16(pointer + 16) + y : y, pointer + 16)
    store16(accumulates ? load16(pointer + 32) + z : z, pointer + 32)
  }

  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, bias: Self, minimum: Float) {
    store16((x + bias.x).limited(below: minimum), pointer)
    store16((y + bias.y).limited(below: minimum), pointer + 16)
    store16((z + bias.z).limited(below: minimum), pointer + 32)
  }
}
