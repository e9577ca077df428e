import CTileModel
import Testing

/// The model of AMX's tile instructions against examples computed by hand from Intel's descriptions. Its state is that
/// of a thread, so tests do not wait for anything.
@Suite struct TileModelTests {
  /// The memory that LDTILECFG reads, with some tiles of given rows and bytes per row.
  private static func configuration(_ shapes: [(rows: UInt8, bytes: UInt8)], palette: UInt8 = 1) -> [UInt8] {
    var memory = [UInt8](repeating: 0, count: 64)
    memory[0] = palette
    for (tile, shape) in shapes.enumerated() {
      memory[16 + 2 * tile] = shape.bytes
      memory[48 + tile] = shape.rows
    }
    return memory
  }

  /// The fault that `body` raises, if any.
  private static func fault(_ body: () -> Void) -> String? {
    tile_model_keep_faults(true)
    defer { tile_model_keep_faults(false) }
    body()
    return tile_model_take_fault().map { String(cString: $0) }
  }

  // MARK: The configuration

  @Test func aConfigurationIsStoredAsItWasLoaded() {
    let memory = Self.configuration([(16, 64), (1, 4), (0, 0), (3, 62)])
    var stored = [UInt8](repeating: 7, count: 64)
    tile_model_load_configuration(memory)
    tile_model_store_configuration(&stored)
    #expect(stored == memory)
    tile_model_release()
    tile_model_store_configuration(&stored)
    #expect(stored == [UInt8](repeating: 0, count: 64))
    tile_model_load_configuration(memory)
    tile_model_load_configuration(Self.configuration([], palette: 0))
    tile_model_store_configuration(&stored)
    #expect(stored == [UInt8](repeating: 0, count: 64))
  }

  @Test func illegalConfigurationsAreFaults() {
    func fault(_ memory: [UInt8]) -> String? {
      let result = Self.fault { tile_model_load_configuration(memory) }
      // The previous configuration stays: none.
      #expect(Self.fault { tile_model_zero(0) } == "TILEZERO #UD: no tiles are configured")
      return result
    }
    #expect(fault(Self.configuration([], palette: 2)) == "LDTILECFG #GP: palette 2")
    for reserved in [2, 15, 32, 47, 56, 63] {
      var memory = Self.configuration([(16, 64)])
      memory[reserved] = 1
      #expect(fault(memory) == "LDTILECFG #GP: reserved bytes")
    }
    #expect(fault(Self.configuration([(16, 64), (17, 64)])) == "LDTILECFG #GP: tile 1 of 17 rows of 64 bytes")
    #expect(fault(Self.configuration([(16, 65)])) == "LDTILECFG #GP: tile 0 of 16 rows of 65 bytes")
    #expect(fault(Self.configuration([(0, 4)])) == "LDTILECFG #GP: tile 0 of 0 rows of 4 bytes")
    #expect(fault(Self.configuration([(4, 0)])) == "LDTILECFG #GP: tile 0 of 4 rows of 0 bytes")
  }

  @Test func tilesThatAreNotConfiguredAreFaults() {
    tile_model_release()
    var memory = [UInt8](repeating: 0, count: 1024)
    #expect(Self.fault { tile_model_load(1, memory, 64) } == "TILELOADD #UD: no tiles are configured")
    tile_model_load_configuration(Self.configuration([(16, 64), (0, 0)]))
    #expect(Self.fault { tile_model_load(1, memory, 64) } == "TILELOADD #UD: tile 1 is not configured")
    #expect(Self.fault { tile_model_load_streaming(2, memory, 64) } == "TILELOADDT1 #UD: tile 2 is not configured")
    #expect(Self.fault { tile_model_store(7, &memory, 64) } == "TILESTORED #UD: tile 7 is not configured")
    #expect(Self.fault { tile_model_zero(8) } == "TILEZERO #UD: there is no tile 8")
    #expect(Self.fault { tile_model_load(0, memory, 64) } == nil)
    tile_model_release()
  }

  // MARK: Memory

  @Test(arguments: [false, true])
  func loadsAndStoresTouchTheRowsOfATileOnly(streams: Bool) {
    tile_model_load_configuration(Self.configuration([(2, 3)]))
    let source = (0..<20).map { UInt8($0) }
    if streams { tile_model_load_streaming(0, source, 10) } else { tile_model_load(0, source, 10) }
    var target = [UInt8](repeating: 99, count: 12)
    tile_model_store(0, &target, 5)
    #expect(target == [0, 1, 2, 99, 99, 10, 11, 12, 99, 99, 99, 99])
    tile_model_zero(0)
    tile_model_store(0, &target, 5)
    #expect(target == [0, 0, 0, 99, 99, 0, 0, 0, 99, 99, 99, 99])
    // A new configuration clears all tiles.
    tile_model_load(0, source, 10)
    tile_model_load_configuration(Self.configuration([(2, 3)]))
    tile_model_store(0, &target, 5)
    #expect(target == [0, 0, 0, 99, 99, 0, 0, 0, 99, 99, 99, 99])
    tile_model_release()
  }

  // MARK: Products

  /// c + Σ of products of pairs, for tiles of one row and one column.
  private static func sum(_ a: [Float], _ b: [Float], addedTo c: Float = 0) -> Float {
    let bytes = UInt8(2 * a.count)
    func halves(_ values: [Float]) -> [UInt16] {
      values.map { value in
        let half = UInt16(value.bitPattern >> 16)
        #expect(value.isNaN || Float(bitPattern: UInt32(half) << 16) == value, "not a bfloat16 number")
        return half
      }
    }
    tile_model_load_configuration(configuration([(1, 4), (1, bytes), (UInt8(a.count / 2), 4)]))
    var result = c
    tile_model_load(0, &result, 4)
    tile_model_load(1, halves(a), 0)
    tile_model_load(2, halves(b), 4)
    tile_model_multiply(0, 1, 2)
    tile_model_store(0, &result, 4)
    tile_model_release()
    return result
  }

  @Test func productsAreThoseOfMatrices() {
    // 2x4 times 4x3; B holds pairs of rows.
    tile_model_load_configuration(Self.configuration([(2, 12), (2, 8), (2, 12)]))
    func halves(_ values: [Float]) -> [UInt16] { values.map { UInt16($0.bitPattern >> 16) } }
    var c: [Float] = [1, 0, 0, 0, 0, 0.5]
    tile_model_load(0, c, 12)
    tile_model_load(1, halves([1, 2, 3, 4, 0, -1, 0, 2]), 8)
    tile_model_load(2, halves([1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12]), 12)
    tile_model_multiply(0, 1, 2)
    tile_model_store(0, &c, 12)
    // B = [1 2 3; 4 5 6; 7 8 9; 10 11 12].
    #expect(c == [71, 80, 90, 16, 17, 18.5])
    tile_model_release()
  }

  @Test func evenAndOddTermsAreSummedApart() {
    // One after another, the terms would give 0: 1 + 2²⁴ is 2²⁴.
    #expect(Self.sum([1, 0x1p12, 1, -0x1p12], [1, 0x1p12, 1, 0x1p12]) == 2)
    // 2²⁴ + 1 is a tie, and rounds to 2²⁴, even if 1 is added twice.
    #expect(Self.sum([0x1p12, 0, 1, 0, 1, 0], [0x1p12, 0, 1, 0, 1, 0]) == 0x1p24)
    #expect(Self.sum([0x1p12, 1, 0, 1], [0x1p12, 1, 0, 1]) == 0x1p24 + 2)
    // Both are added before the previous sum is.
    #expect(Self.sum([1, 1], [1, 1], addedTo: 0x1p24) == 0x1p24 + 2)
  }

  @Test func tiesRoundToEven() {
    #expect(Self.sum([1, 0], [1, 0], addedTo: 0x1p24) == 0x1p24)
    #expect(Self.sum([1, 0], [1, 0], addedTo: 0x1p24 + 2) == 0x1p24 + 4)
    #expect(Self.sum([1, 0], [-1, 0], addedTo: 0x1p25) == 0x1p25)
    #expect(Self.sum([-2, 0], [1, 0], addedTo: -0x1p25) == -0x1p25)
    #expect(Self.sum([-2, 0], [3, 0], addedTo: -0x1p25) == -0x1p25 - 8)
  }

  @Test func denormalNumbersAreZeros() {
    let (denormal, smallest): (Float, Float) = (0x1p-127, 0x1p-126)
    #expect(Self.sum([denormal, 0], [0x1p127, 0]) == 0)
    #expect(Self.sum([0x1p127, 0], [-denormal, 0]) == 0)
    #expect(Self.sum([smallest, 0], [0x1p126, 0]) == 1)
    // An operand that is a sum, a product, the sum of both parts, and the total.
    #expect(Self.sum([0, 0], [0, 0], addedTo: denormal) == 0)
    #expect(Self.sum([0x1p-64, 0], [0x1p-63, 0]) == 0)
    #expect(Self.sum([0x1p-63, 0x1p-63], [0x1.8p-63, -0x1p-63]) == 0)
    #expect(Self.sum([0x1p-63, 0], [0x1.8p-63, 0], addedTo: -smallest) == 0)
    // Their sign is kept, unless the other sign is added.
    #expect(tile_model_multiply_add(-0x1p-64, 0x1p-64, -0.0).bitPattern == Float(-0.0).bitPattern)
    #expect(tile_model_multiply_add(-0x1p-64, 0x1p-64, 0).bitPattern == Float(-0.0).bitPattern)
    #expect(tile_model_multiply_add(-denormal, 1, 0).bitPattern == 0)
  }

  @Test func denormalResultsAreThoseAfterRounding() {
    let smallest: Float = 0x1p-126
    // With 24 bits, whatever the exponent: half of a unit below the smallest normal number is a tie, and rounds up.
    #expect(tile_model_multiply_add(-0x1p-75, 0x1p-76, smallest) == smallest)
    #expect(tile_model_multiply_add(-0x1p-75, 0x1.02p-76, smallest) == 0)
    #expect(tile_model_multiply_add(-0x1p-75, 0x1p-75, smallest) == 0)
    #expect(tile_model_multiply_add(0x1p-75, 0x1p-75, smallest) == smallest)
    #expect(tile_model_multiply_add(0x1p-75, 0x1p-75, -smallest).bitPattern == Float(-0.0).bitPattern)
    #expect(tile_model_multiply_add(0x1p-75, 0x1p-74, smallest) == smallest.nextUp)
  }

  @Test func infinitiesAndNaNFollowTheRulesOfArithmetic() {
    let largest = Float(bitPattern: 0x7F7F_0000)
    #expect(Self.sum([.infinity, 0], [2, 0], addedTo: 5) == .infinity)
    #expect(Self.sum([.infinity, 0], [-2, 0]) == -.infinity)
    #expect(Self.sum([.infinity, 0], [0, 0]).isNaN)
    // Denormal numbers are zeros here too.
    #expect(Self.sum([.infinity, 0], [0x1p-127, 0]).isNaN)
    #expect(Self.sum([.infinity, .infinity], [1, -1]).isNaN)
    #expect(Self.sum([.nan, 0], [1, 0]).isNaN)
    #expect(Self.sum([1, 0], [1, 0], addedTo: .nan).isNaN)
    #expect(Self.sum([largest, 0], [largest, 0]) == .infinity)
    // A product is not rounded before it is added.
    #expect(tile_model_multiply_add(0x1p127, 2, -.greatestFiniteMagnitude).isFinite)
  }

  @Test func operandsThatDoNotFitAreFaults() {
    tile_model_load_configuration(
      Self.configuration([(2, 8), (2, 12), (3, 8), (3, 12), (2, 8), (3, 6), (2, 64), (4, 8)]))
    func fault(_ sums: Int32, _ a: Int32, _ b: Int32) -> String? {
      Self.fault { tile_model_multiply(sums, a, b) }
    }
    #expect(fault(0, 1, 2) == nil)
    let (twice, shapes) = ("TDPBF16PS #UD: a tile is named twice", "TDPBF16PS #UD: the tiles' shapes do not fit")
    #expect(fault(0, 0, 2) == twice)
    #expect(fault(0, 1, 0) == twice)
    #expect(fault(0, 2, 2) == twice)
    // Rows of the sums and of A, columns of the sums and of B, columns of A and rows of B.
    #expect(fault(0, 3, 2) == shapes)
    #expect(fault(0, 1, 3) == shapes)
    #expect(fault(0, 1, 7) == shapes)
    #expect(fault(0, 1, 5) == "TDPBF16PS #UD: rows are not whole words")
    tile_model_release()
  }

  @Test func anUnexpectedFaultEndsTheProcess() async {
    await #expect(processExitsWith: .failure) { tile_model_zero(0) }
  }
}
