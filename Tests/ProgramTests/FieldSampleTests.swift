import Foundation
import Images
import TestSupport
import Testing

/// `sample` with models of fields, and with given channels.
struct FieldSampleTests {
  private func field(_ name: String, of path: String) throws -> HDF5Contents.Dataset<Float> {
    try HDF5Contents.read(name, of: path)
  }

  @Test func fieldsHavePhysicalValuesAndTheSameBitsOnAnyNumberOfRanks() async throws {
    let folder = try TemporaryFolder()
    let sample: Words = "sample --checkpoint \(try await PackedFieldFixture.run.value) --steps 3 --count 5"
    try await ddpm("\(sample) --output \(folder)/alone.nc --grid \(folder)/alone.png --images \(folder)/alone")
      .succeeds(saying: "Drawing 5 fields from", "of the network per field")
    try await ddpm(
      "\(sample) --batch 1 --output \(folder)/shared.nc --grid \(folder)/shared.png --images \(folder)/shared", ranks: 2
    ).succeeds(saying: "Wrote")
    for (name, mean) in [("u", Float(10)), ("v", -3)] {
      let values = try field(name, of: folder.path("alone.nc"))
      #expect(values.shape == [5, 32, 32])
      #expect(try values.elements == field(name, of: folder.path("shared.nc")).elements)
      #expect(values.elements.allSatisfy { abs($0 - mean) < 20 })
      #expect(abs(values.elements.reduce(0, +) / Float(values.elements.count) - mean) < 1)
    }
    #expect(try HDF5Contents.read("sample", of: folder.path("alone.nc"), as: Int64.self).elements == [0, 1, 2, 3, 4])
    #expect(try folder.names(in: "alone") == (0..<5).map { "00000\($0).png" })
    for number in 0..<5 {
      let names = ["alone", "shared"].map { folder.path("\($0)/00000\(number).png") }
      let pictures = try names.map { try ImageReader().read($0) }
      #expect(pictures[0] == pictures[1])
      #expect(pictures[0].channels == 3)
    }
    let sheet = try ImageReader().read(folder.path("alone.png"))
    #expect(try sheet == ImageReader().read(folder.path("shared.png")))
    // A column for each variable, a row for each field, whose points are enlarged to 256 pixels.
    #expect(sheet.width > 2 * 256 && sheet.height > 5 * 256)
  }

  @Test func aMemberDependsOnlyOnItsConditionAndNumber() async throws {
    let folder = try TemporaryFolder()
    let condition = try await PackedFieldFixture.packed.value
    let sample: Words = """
      sample --checkpoint \(try await PackedFieldFixture.conditional.value) --steps 3 --condition \(condition)
      """
    try await ddpm("\(sample) --count 3 --members 3 --output \(folder)/three.nc --grid \(folder)/three.png", ranks: 2)
      .succeeds(saying: "Drawing 3 fields for each of 3 conditions from")
    try await ddpm("\(sample) --count 3 --members 2 --batch 1 --output \(folder)/two.nc --images \(folder)/two")
      .succeeds(saying: "Drawing 2 fields for each of 3 conditions from")
    try await ddpm("\(sample) --first 1 --count 1 --output \(folder)/one.nc").succeeds(
      saying: "Drawing 1 field for each of 1 condition from")
    try await ddpm("\(sample) --first 2 --output \(folder)/rest.nc").succeeds(saying: "for each of 10 conditions")

    let three = try field("u", of: folder.path("three.nc"))
    let two = try field("u", of: folder.path("two.nc"))
    let one = try field("u", of: folder.path("one.nc"))
    #expect(three.shape == [3, 3, 32, 32] && two.shape == [3, 2, 32, 32] && one.shape == [1, 1, 32, 32])
    #expect(try !HDF5Contents.has("v", in: folder.path("three.nc")), "v is given, not drawn")
    let size = 32 * 32
    for row in 0..<3 { #expect(Array(three[row: row].prefix(2 * size)) == Array(two[row: row])) }
    #expect(Array(three[row: 1].prefix(size)) == one.elements)
    // They all differ.
    let all = stride(from: 0, to: 9 * size, by: size).map { Array(three.elements[$0..<$0 + size]) }
    #expect(Set(all).count == 9)
    #expect(try HDF5Contents.read("condition", of: folder.path("one.nc"), as: Int64.self).elements == [1])
    #expect(try HDF5Contents.integer("members", of: folder.path("two.nc")) == 2)
    #expect(try HDF5Contents.integer("first", of: folder.path("rest.nc")) == 2)
    #expect(
      try folder.names(in: "two") == (0..<3).flatMap { i in (0..<2).map { "00000\(i)-000\($0).png" } })
    // A row has a panel for v beside that of u.
    #expect(try ImageReader().read(folder.path("three.png")).width > 2 * 256)
  }

  @Test func conditionsAreChosenByNameAndMatter() async throws {
    let folder = try TemporaryFolder()
    let sample: Words = """
      sample --checkpoint \(try await PackedFieldFixture.conditional.value) --steps 2 --count 2
      """
    func draw(_ name: String, _ condition: String, _ words: Words = "") async throws -> [Float] {
      try await ddpm("\(sample) --condition \(condition) \(words) --output \(folder)/\(name).nc").succeeds(
        saying: "Wrote")
      return try field("u", of: folder.path("\(name).nc")).elements
    }
    let drawn = try await draw("usual", PackedFieldFixture.packed.value)
    let reordered = try await PackedFieldFixture.pack("reordered.h5", "--variables v,u")
    #expect(try await draw("reordered", reordered) == drawn)
    let alone = try await PackedFieldFixture.pack("alone.h5", "--variables v")
    #expect(try await draw("alone", alone) == drawn, "normalised as in training")
    let exchanged = try await PackedFieldFixture.pack("exchanged.h5", "--variables u,v --names v,u")
    #expect(try await draw("exchanged", exchanged) != drawn, "u is given instead of v")
    #expect(try await draw("guided", PackedFieldFixture.packed.value, "--guidance 1") != drawn)
  }

  @Test func stepsOfFieldsAreWrittenAsFiles() async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      """
      sample --checkpoint \(try await PackedFieldFixture.run.value) --steps 4 --count 2 --first 3 --every 2
      --images \(folder)/films
      """, ranks: 2
    ).succeeds(saying: "Wrote")
    #expect(try folder.names(in: "films") == ["000003", "000004"])
    #expect(try folder.names(in: "films/000003") == ["0000.png", "0001.png", "0002.png"])
  }

  @Test func trainingShowsFieldsWithWhatIsGiven() async throws {
    // Panels for u and v in both cases.
    for run in [try await PackedFieldFixture.run.value, try await PackedFieldFixture.conditional.value] {
      let sheet = try ImageReader().read("\(run)/samples/step-00000002.png")
      #expect(sheet.channels == 3)
      #expect(sheet.width > 2 * 256 && sheet.width < 3 * 256)
      #expect(sheet.height > 3 * 256 && sheet.height < 4 * 256)
    }
  }

  @Test func greyValuesAreGivenAsImagesOfAnyKind() async throws {
    let folder = try TemporaryFolder()
    let pictures = try await PackedFieldFixture.pictures.value
    let sample: Words = "sample --checkpoint \(try await PackedFieldFixture.colours.made) --steps 2"
    try await ddpm("\(sample) --condition \(pictures.folder) --members 2 --output \(folder)/a.h5", ranks: 2)
      .succeeds(saying: "Drawing 2 images for each of 3 conditions from")
    try await ddpm(
      "\(sample) --condition \(pictures.file) --members 2 --output \(folder)/b.h5 --images \(folder)/b"
    ).succeeds(saying: "Wrote")
    #expect(try await areEqual(folder.path("a.h5"), folder.path("b.h5"), "/images"))
    let images = try HDF5Contents.read("images", of: folder.path("a.h5"), as: UInt8.self)
    #expect(images.shape == [6, 32, 32, 3])
    #expect(try folder.names(in: "b").first == "000000-0000.png")
    // The first condition alone, as a file of its own.
    try await ddpm(
      "\(sample) --condition \(pictures.folder)/000000.png --members 2 --output \(folder)/c.h5"
    ).succeeds(saying: "Wrote")
    let one = try HDF5Contents.read("images", of: folder.path("c.h5"), as: UInt8.self)
    #expect(one.elements == Array(images.elements.prefix(one.elements.count)))
  }

  @Test func conditionsThatDoNotFitAreRefused() async throws {
    let nowhere = Fixture.nowhere
    let fields = try await PackedFieldFixture.packed.value
    let source = try await PackedFieldFixture.source.value
    let withoutV = try await PackedFieldFixture.pack("only-u.h5", "--variables u")
    let small = try await PackedFieldFixture.pack("small.h5", "--variables u,v --crop 16x16")
    let pictures = try await PackedFieldFixture.pictures.value
    let conditional: Words = """
      sample --checkpoint \(try await PackedFieldFixture.conditional.value) --steps 2 --output \(nowhere).h5
      """
    let plain: Words = "sample --checkpoint \(try await PackedFieldFixture.run.value) --steps 2 --output \(nowhere).h5"
    let colours: Words =
      "sample --checkpoint \(try await PackedFieldFixture.colours.made) --steps 2 --output \(nowhere).h5"
    for refusal in [
      Refusal(
        "\(conditional) --count 2",
        "--condition: the model draws samples that fit given channels (v); give a file of them"),
      Refusal("\(conditional)", "Missing expected argument '--count <n>'"),
      Refusal("\(plain) --condition \(fields)", "the model was trained without data.conditions"),
      Refusal("\(plain) --count 2 --members 2", "--members is for --condition"),
      Refusal("\(conditional) --condition \(fields) --members 65537", "--members is 65537; it must be at most 65536"),
      Refusal("\(conditional) --condition \(nowhere).h5", "there is no such file"),
      Refusal("\(conditional) --condition \(source)", "pack it with `ddpm-mpi pack"),
      Refusal(
        "\(conditional) --condition \(pictures.folder)",
        "\(pictures.folder): it is a folder, not a file; give a file of fields by `ddpm-mpi pack`"),
      Refusal("\(conditional) --condition \(withoutV)", "it has no variable v, which the model was trained with"),
      Refusal("\(conditional) --condition \(small)", "it has samples of 16x16, but the model is for 32x32"),
      Refusal(
        "\(conditional) --condition \(pictures.file)", "it has no seal",
        "if another program has written it, pack it with `ddpm-mpi pack"),
      Refusal("\(plain) --count 2 --class 1", "--class: the model draws fields, which have no classes"),
      Refusal(
        "\(plain) --count 2 --guidance 1", "--guidance: the model was trained without conditions",
        "train one with data.conditions"),
      Refusal("\(conditional) --condition \(fields) --count 13", "--count is 13, but ", " has 12 conditions"),
      Refusal(
        "\(conditional) --condition \(fields) --first 8 --count 5", "--count is 5, but ",
        " has 4 conditions from --first 8 on"),
      Refusal(
        "\(conditional) --condition \(fields) --first 12", "--first is 12, but the conditions of ", " are 0 to 11"),
      Refusal(
        "\(conditional) --condition \(fields) --members 2 --sampler predictor-corrector --corrections 256",
        "--corrections: 256 are too many for several members; give at most 255"),
      Refusal("\(conditional) --condition \(fields) --float", "--float is for images"),
      Refusal(
        "\(conditional) --condition \(fields) --every 1 --grid \(nowhere).png", "--every with --grid is for images"),
      Refusal("\(colours) --condition \(pictures.folder)/none.png", "there is no such file or folder"),
      Refusal("\(colours) --count 1", "given channels (grey)"),
    ] {
      try await refusal.check()
    }
    for ending in ["", ".h5", ".png"] { #expect(!FileManager.default.fileExists(atPath: nowhere + ending)) }
  }
}
