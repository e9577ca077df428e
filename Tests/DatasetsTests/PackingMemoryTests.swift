import Datasets
import Tensors
import Testing

/// Fields that nobody reads.
private final class UnreadFields: FieldSource {
  let path = "source.nc"
  let count = 3
  let height: Int
  let width: Int
  let channels: [FieldChannel]
  let coordinates = FieldCoordinates()
  let remarks: [String] = []
  let samplesPerPiece = 1

  init(_ height: Int, _ width: Int, channels: Int = 2) {
    (self.height, self.width) = (height, width)
    self.channels = (0..<channels).map { FieldChannel(name: "v\($0)") }
  }

  func read(_ samples: Range<Int>, into target: Tensor) {}
}

/// What does not fit in memory is refused before anything is allocated.
struct PackingMemoryTests {
  private func refusal(
    _ source: UnreadFields, memory: Int?, _ change: (inout FieldRecipe) -> Void = { _ in }
  ) -> DatasetError? {
    var recipe = FieldRecipe()
    change(&recipe)
    return #expect(throws: DatasetError.self) {
      _ = try FieldPacker(name: "x", training: JoinedFields([source]), recipe: recipe, memory: memory)
    }
  }

  @Test func paddingBeyondMemoryIsRefused() {
    let largest = FieldRecipe.Size(height: 1 << 16, width: 1 << 16)
    let error = refusal(UnreadFields(16, 16), memory: 1 << 34) { $0.pad = largest }
    #expect(error?.kind == .tooLarge && error?.location == "--pad" && error?.isOfDamage == false)
    // Eight bytes for each point, and two values of four bytes.
    #expect(
      error?.problem
        == "packing fields of 65536x65536 with 2 channels takes at least 64.0 GiB of memory, but 16.0 GiB are available"
    )
    #expect(error?.advice.hasPrefix("choose a smaller size") == true)
  }

  @Test func blockMeansCount() throws {
    // A sample of the source, one of the result, and the positions: 256, 256 and 512 KiB; means add 256 KiB.
    let source = UnreadFields(256, 256, channels: 1)
    _ = try FieldPacker(name: "x", training: JoinedFields([source]), memory: 1 << 20)
    let error = refusal(source, memory: 1 << 20) { $0.coarse = 4 }
    #expect(error?.location == "source.nc" && error?.advice.contains("--variables") == true)
  }

  /// The shape that a file states may be larger than any memory.
  @Test func shapesOfFilesBeyondMemoryAreRefused() {
    let error = refusal(UnreadFields(1 << 16, 1 << 16, channels: 1 << 20), memory: nil)
    #expect(error?.kind == .tooLarge && error?.location == "source.nc")
    let cropped = refusal(UnreadFields(1 << 16, 1 << 16), memory: 1 << 30) { $0.crop = .init(height: 8, width: 8) }
    #expect(cropped?.problem.contains("packing fields of 8x8") == true)
  }
}
