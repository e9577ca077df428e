import TestSupport
import Testing

/// Models that are given channels of the same size: `data.conditions`.
struct GivenChannelsTests {
  private static let words: Words = """
    train \(Fixture.tiny) --set data.conditions=[grey] --set training.condition_dropout=0.5
    """
  private static let colouring = Fixture("colouring", words)

  @Test func aTraceHasTheGivenChannelsAndDoesNotDependOnTheRanks() async throws {
    let folder = try TemporaryFolder()
    for ranks in [1, 3] {
      try await ddpm(
        "\(Self.words) --trace \(folder)/\(ranks).h5 --trace-steps 4 --output \(folder)/run-\(ranks)", ranks: ranks
      ).succeeds(saying: "Done")
    }
    #expect(try await areEqual(folder.path("1.h5"), folder.path("3.h5")))
    var hidden = 0
    for step in 1...4 {
      let group = "step-0000000\(step)"
      let images = try HDF5Contents.read("\(group)/x0", of: folder.path("1.h5"), as: Float.self)
      let conditions = try HDF5Contents.read("\(group)/conditions", of: folder.path("1.h5"), as: Float.self)
      #expect(images.shape == [4, 32, 32, 3] && conditions.shape == [4, 32, 32, 1])
      for sample in 0..<4 {
        let range = sample * 1024..<(sample + 1) * 1024
        if conditions.elements[range].allSatisfy({ $0 == 0 }) {
          hidden += 1
          continue
        }
        // Grey values are rounded to 8 bits.
        let largest = range.map { pixel in
          let (red, green, blue) = (
            images.elements[3 * pixel], images.elements[3 * pixel + 1], images.elements[3 * pixel + 2]
          )
          return abs(0.299 * red + 0.587 * green + 0.114 * blue - conditions.elements[pixel])
        }.max()
        #expect(try #require(largest) < 1.01 / 127.5)
      }
    }
    // 8 of 16 give or take three standard deviations of 2, less one.
    #expect((3...13).contains(hidden))
  }

  @Test func commandsWithoutSuchChannelsRefuseTheModel() async throws {
    let (model, nowhere) = (try await Self.colouring.made, Fixture.nowhere)
    for refusal in [
      Refusal(
        "encode --checkpoint \(model) --count 2 --output \(nowhere).h5", "conditioned on grey (data.conditions)",
        "encode does not support"),
      Refusal(
        "interpolate --checkpoint \(model) --rows 1 --columns 2 --random --grid \(nowhere).png",
        "conditioned on grey (data.conditions)", "interpolate does not support"),
      Refusal(
        "likelihood --checkpoint \(model) --count 2 --method bound", "conditioned on grey (data.conditions)",
        "likelihood does not support"),
      Refusal(
        "train-classifier \(Fixture.tiny) --set data.conditions=[grey] --output \(nowhere)",
        "data.conditions is [grey], but a classifier is given only noisy images"),
    ] { try await refusal.check() }
    try await ddpm("export --checkpoint \(model) \(nowhere)").isRefused(
      with: ["ddpm-mpi: ", "data.conditions is [grey], which diffusers does not support"])
  }
}
