import Foundation
import Images
import TestSupport
import Testing

struct RestoreCommandTests {
  private typealias Pictures = RestorationFixture.Pictures
  private typealias Fields = RestorationFixture.Fields

  private func floats(_ name: String, _ path: String) throws -> HDF5Contents.Dataset<Float> {
    try HDF5Contents.read(name, of: path, as: Float.self)
  }

  /// Whether two files have the same fields, of both variables.
  private func haveEqualFields(_ a: String, _ b: String) async throws -> Bool {
    let (u, v) = (try await areEqual(a, b, "/u"), try await areEqual(a, b, "/v"))
    return u && v
  }

  /// The arguments for completing two images of which the left half is known.
  private func halves(_ model: Fixture = Fixture.fewSteps) async throws -> Words {
    let pictures = try await RestorationFixture.pictures.value
    return """
      restore --checkpoint \(try await model.made) --measured \(pictures.images) --operator mask --mask \(pictures.left)
      """
  }

  @Test(arguments: ["imputation", "repaint --jump-length 2 --resamplings 2", "pigdm"] as [Words])
  func knownPixelsStay(method: Words) async throws {
    let folder = try TemporaryFolder()
    try await ddpm(
      "\(try await halves()) --method \(method) --steps 4 --members 2 --output \(folder)/a.h5 --grid \(folder)/a.png",
      ranks: 2
    ).succeeds(saying: "Drawing 2 images for each of 2 measurements", "Wrote")
    let images = try HDF5Contents.read("images", of: folder.path("a.h5"), as: UInt8.self)
    #expect(images.shape == [4, 32, 32, 3])
    for row in 0..<4 {
      let (drawn, measured) = (Array(images[row: row]), Pictures.bytes(row / 2))
      let known = measured.indices.filter { Pictures.isLeft($0 / 3) }
      #expect(known.allSatisfy { drawn[$0] == measured[$0] })
      #expect(drawn != measured)
    }
    // The members differ.
    #expect(images[row: 0] != images[row: 1])
    #expect(try ImageReader().read(folder.path("a.png")).channels == 3)
  }

  /// Member m of measurement i is the same with any ranks, batches, further members and other measurements.
  @Test(arguments: ["imputation --corrections 2 --snr 0.1", "dps --scale 0.3 --variance small", "pigdm"] as [Words])
  func aDrawDependsOnItsNumbersOnly(method: Words) async throws {
    let folder = try TemporaryFolder()
    let restore: Words = "\(try await halves(.run)) --method \(method) --steps 3 --float"
    try await ddpm("\(restore) --members 3 --output \(folder)/all.h5", ranks: 2).succeeds(saying: "Wrote")
    try await ddpm("\(restore) --members 3 --batch 1 --threads 2 --output \(folder)/alone.h5").succeeds()
    #expect(try await areEqual(folder.path("all.h5"), folder.path("alone.h5"), "/samples"))
    try await ddpm("\(restore) --members 2 --first 1 --count 1 --output \(folder)/part.h5 --images \(folder)/part")
      .succeeds()
    for name in ["samples", "latents"] {
      let (all, part) = (try floats(name, folder.path("all.h5")), try floats(name, folder.path("part.h5")))
      #expect(part.shape[0] == 2)
      for member in 0..<2 { #expect(all[row: 3 + member] == part[row: member], "\(name)") }
    }
    #expect(try folder.names(in: "part") == ["000001-0000.png", "000001-0001.png"])
    try await ddpm("\(restore) --members 3 --seed 1 --output \(folder)/other.h5").succeeds()
    #expect(try await !areEqual(folder.path("all.h5"), folder.path("other.h5"), "/samples"))
  }

  @Test func greyPicturesAreColoured() async throws {
    let folder = try TemporaryFolder()
    let grey = try await RestorationFixture.pictures.value.grey
    try await ddpm(
      """
      restore --checkpoint \(try await Fixture.run.made) --measured \(grey) --operator grey --steps 3 --float
      --output \(folder)/a.h5
      """
    ).succeeds(saying: "by pigdm in 3 steps", "Wrote")
    let samples = try floats("samples", folder.path("a.h5")).elements
    for pixel in 0..<32 * 32 {
      let mean = (samples[3 * pixel] + samples[3 * pixel + 1] + samples[3 * pixel + 2]) / 3
      // Rounding to single precision.
      #expect(abs(mean - (Float(pixel % 251) / 127.5 - 1)) < 1e-5)
    }
  }

  @Test func wholeImagesAreMeasuredFirstIfAsked() async throws {
    let folder = try TemporaryFolder()
    let pictures = try await RestorationFixture.pictures.value
    let restore: Words = """
      restore --checkpoint \(try await Fixture.run.made) --measured \(pictures.first) --simulate --operator coarse=16
      --steps 3 --float
      """
    try await ddpm("\(restore) --output \(folder)/exact.h5").succeeds()
    let samples = try floats("samples", folder.path("exact.h5")).elements
    let bytes = Pictures.bytes(0)
    func mean(_ value: (Int) -> Double) -> Double {
      // Of the block at the top right, in green.
      (0..<256).reduce(0) { $0 + value((($1 / 16) * 32 + 16 + $1 % 16) * 3 + 1) } / 256
    }
    #expect(abs(mean { Double(samples[$0]) } - mean { Double(bytes[$0]) / 127.5 - 1 }) < 1e-5)
    // Noise is drawn for it.
    try await ddpm("\(restore) --noise 0.5 --output \(folder)/noisy.h5").succeeds()
    try await ddpm("\(restore) --noise 0.5 --output \(folder)/again.h5", ranks: 2).succeeds()
    #expect(try await areEqual(folder.path("noisy.h5"), folder.path("again.h5"), "/samples"))
    #expect(try await !areEqual(folder.path("noisy.h5"), folder.path("exact.h5"), "/samples"))
  }

  @Test func methodsHaveOptions() async throws {
    let folder = try TemporaryFolder()
    let pictures = try await RestorationFixture.pictures.value
    let restore: Words = """
      restore --checkpoint \(try await Fixture.run.made) --measured \(pictures.first) --simulate --operator blur=1
      --noise 0.1 --steps 2 --output \(folder)/a.h5
      """
    for (options, evaluations) in [
      ("--sampler ddpm --spacing trailing", "2 evaluations"), ("--sampler ddpm --sigma-data 0.3", "2 evaluations"),
      ("--sampler ddpm --iterations 2", "2 evaluations of the network per image, apart from iterations"),
      ("--method dps --scale 0.5 --variance large", "2 evaluations"),
    ] as [(Words, String)] {
      try await ddpm("\(restore) \(options)").succeeds(saying: evaluations)
      // The file says what it depends on.
      let file = folder.path("a.h5")
      #expect(try HDF5Contents.integer("simulated", of: file) == 1)
      let isGuided = !options.list.contains("--method")
      #expect(try HDF5Contents.text("sampler", of: file) == (isGuided ? "ddpm" : nil))
      let iterations = options.list.contains("--iterations") ? 2 : 0
      #expect(try HDF5Contents.integer("iterations", of: file) == (isGuided ? Int64(iterations) : nil))
    }
    // Whole images are guides.
    try await ddpm(
      """
      restore --checkpoint \(try await Fixture.run.made) --measured \(pictures.images) --method sdedit --strength 0.5
      --steps 4 --weights model --output \(folder)/edited.h5
      """
    ).succeeds(saying: "for each of 2 measurements", "2 evaluations")
  }

  @Test func classesAreGivenOrHidden() async throws {
    let folder = try TemporaryFolder()
    let hidden: Words = "\(try await halves(.guided)) --method imputation --steps 2 --float"
    func draw(_ name: String, _ options: Words) async throws -> String {
      try await ddpm("\(hidden) \(options) --output \(folder)/\(name).h5").succeeds()
      return folder.path(name + ".h5")
    }
    let without = try await draw("without", "")
    #expect(try await areEqual(without, draw("none", "--class none"), "/samples"))
    let first = try await draw("one", "--class 1")
    #expect(try await !areEqual(without, first, "/samples"))
    let turns = try floats("samples", try await draw("turns", "--classes none,1"))
    #expect(try turns[row: 0] == floats("samples", without)[row: 0])
    #expect(try turns[row: 1] == floats("samples", first)[row: 1])
  }

  @Test func modelsWithConditionsAreGivenThem() async throws {
    let folder = try TemporaryFolder()
    let pictures = try await RestorationFixture.pictures.value
    try await ddpm(
      """
      train \(Fixture.tiny) --set training.steps=2 --set data.conditions=[grey] --output \(folder)/run
      """
    ).succeeds()
    let restore: Words = """
      restore --checkpoint \(folder)/run --measured \(pictures.first) --operator mask --mask \(pictures.left) --steps 2
      --output \(folder)/a.h5
      """
    try await ddpm("\(restore) --condition \(pictures.grey)").succeeds(saying: "Wrote")
    try await ddpm("\(restore)").ends(2, saying: "condition: ")
  }

  /// In their own units.
  @Test func knownValuesOfFieldsStay() async throws {
    let folder = try TemporaryFolder()
    let fields = try await RestorationFixture.fields.value
    let restore: Words = "restore --checkpoint \(fields.model) --operator mask --steps 3 --members 2"
    try await ddpm("\(restore) --measured \(fields.gaps) --output \(folder)/gaps.nc --grid \(folder)/a.png", ranks: 2)
      .succeeds(saying: "Drawing 2 fields for each of 2 measurements")
    for name in ["u", "v"] {
      let values = try floats(name, folder.path("gaps.nc"))
      #expect(values.shape == [2, 2, 16, 16])
      for row in 0..<4 {
        let truth = Fields.values(name, row / 2)
        for point in 0..<Fields.size where Fields.isSeen(point) {
          let value = values.elements[row * Fields.size + point]
          // Two roundings to single precision, of values of about 300.
          #expect(abs(Double(value) - truth[point]) < 1e-4)
        }
      }
    }
    // Masks in the file say the same, and so does one mask for each variable.
    for (name, mask) in [("one", "seen"), ("each", "seen,seen")] {
      try await ddpm("\(restore) --measured \(fields.marked) --mask \(mask) --output \(folder)/\(name).nc").succeeds()
      #expect(try await haveEqualFields(folder.path("gaps.nc"), folder.path(name + ".nc")))
    }
  }

  /// The mean, which packing puts in place of a missing value, was not measured.
  @Test func gapsThatWerePackedAreUnknown() async throws {
    let folder = try TemporaryFolder()
    let fields = try await RestorationFixture.fields.value
    let restore: Words = "restore --checkpoint \(fields.model) --operator mask --steps 3"
    try await ddpm("\(restore) --measured \(fields.gaps) --output \(folder)/gaps.nc").succeeds()
    for (name, options) in [("found", ""), ("named", "--mask u_mask,v_mask")] as [(String, Words)] {
      try await ddpm("\(restore) --measured \(fields.packedGaps) \(options) --output \(folder)/\(name).nc")
        .succeeds(saying: "Wrote")
      #expect(try await haveEqualFields(folder.path("gaps.nc"), folder.path(name + ".nc")), "\(name)")
    }
  }

  /// Noise is in the units of each variable: a number that is small for u is large for v.
  @Test func noiseIsThatOfEachVariable() async throws {
    let folder = try TemporaryFolder()
    let fields = try await RestorationFixture.fields.value
    let restore: Words = """
      restore --checkpoint \(fields.model) --measured \(fields.marked) --simulate --operator coarse=4 --count 1 --steps 3
      """
    for (name, noise) in [("same", "0.1"), ("list", "0.1,0.1"), ("other", "0.1,0.2")] {
      try await ddpm("\(restore) --noise \(noise) --output \(folder)/\(name).nc").succeeds(saying: "Wrote")
    }
    #expect(try await haveEqualFields(folder.path("same.nc"), folder.path("list.nc")))
    #expect(try await !areEqual(folder.path("same.nc"), folder.path("other.nc"), "/v"))
  }

  /// Of an array without names that has all of the model's variables, those that were measured are taken.
  @Test func variablesOfAnArrayAreTaken() async throws {
    let folder = try TemporaryFolder()
    let fields = try await RestorationFixture.fields.value
    try await ddpm(
      """
      restore --checkpoint \(fields.model) --measured \(fields.array) --operator channels=v --steps 3
      --output \(folder)/a.nc
      """
    ).succeeds(saying: "Wrote")
    let (drawn, truth) = (try floats("v", folder.path("a.nc")).elements, Fields.values("v", 0))
    for point in 0..<Fields.size { #expect(abs(Double(drawn[point]) - truth[point]) < 1e-4) }
  }

  @Test func otherVariablesAreDrawn() async throws {
    let folder = try TemporaryFolder()
    let fields = try await RestorationFixture.fields.value
    try await ddpm(
      """
      restore --checkpoint \(fields.model) --measured \(fields.partial) --operator channels=u --steps 3
      --output \(folder)/a.nc --images \(folder)/pictures
      """
    ).succeeds(saying: "Wrote")
    let (drawn, truth) = (try floats("u", folder.path("a.nc")).elements, Fields.values("u", 0))
    for point in 0..<Fields.size { #expect(abs(Double(drawn[point]) - truth[point]) < 1e-4) }
    #expect(try folder.names(in: "pictures").count == 2)
  }
}
