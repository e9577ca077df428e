import Foundation
import TestSupport
import Testing

/// What `restore` refuses, naming what is wrong.
struct RestoreRefusalTests {
  private static let output: Words = "--output \(Fixture.nowhere).h5"

  /// Before anything is read.
  static let arguments = [
    Refusal(
      "restore --checkpoint x --measured y --operator median \(output)",
      "operator: median is unknown; give one of mask, coarse=K, grey, blur=S, channels=NAMES"),
    Refusal("restore --checkpoint x --measured y \(output)", "Missing expected argument '--operator'"),
    Refusal("restore --checkpoint x --measured y --operator grey", "Nothing would be written"),
    Refusal("restore --checkpoint x --measured y --operator grey --grid a.png --float", "--float needs --output"),
    Refusal(
      "restore --checkpoint x --measured y --operator grey --noise -1 \(output)",
      "--noise has -1.0; it must not be negative"),
    Refusal(
      "restore --checkpoint x --measured y --operator grey --method imputation --noise 0.1 \(output)",
      "--noise is above 0, but method imputation takes measurements as exact; use pigdm or dps"),
    Refusal(
      "restore --checkpoint x --measured y --operator grey --method repaint --noise 0,0.1 \(output)",
      "method repaint takes measurements as exact"),
    Refusal(
      "restore --checkpoint x --measured y --operator grey --scale 1 \(output)",
      "--scale is for --method dps; --method is pigdm"),
    Refusal(
      "restore --checkpoint x --measured y --operator grey --method sdedit --jump-length 3 \(output)",
      "--jump-length is for --method repaint; --method is sdedit"),
    Refusal(
      "restore --checkpoint x --measured y --operator grey --sampler ode-rk45 --steps 3 \(output)",
      "--steps is not for --sampler ode-rk45"),
    Refusal(
      "restore --checkpoint x --measured y --operator grey --iterations 3 --sigma-data 1 \(output)",
      "--sigma-data is for --iterations 0"),
    Refusal(
      "restore --checkpoint x --measured y --operator grey --members 65537 \(output)",
      "--members is 65537; it must be at most 65536"),
    Refusal(
      "restore --checkpoint x --measured y --operator grey --class 1 --classes 1 \(output)",
      "--class and --classes exclude each other"),
  ]

  @Test(arguments: arguments)
  func isRefused(_ refusal: Refusal) async throws { try await refusal.check() }

  @Test func measuredImagesThatDoNotFitAreRefused() async throws {
    let pictures = try await RestorationFixture.pictures.value
    let restore: Words = "restore --checkpoint \(try await Fixture.run.made) \(Self.output)"
    let mask: Words = "\(restore) --measured \(pictures.images) --operator mask"
    for refusal in [
      Refusal("\(mask)", "--mask: operator mask needs one; give FILE.png"),
      Refusal("\(mask) --mask \(Fixture.nowhere)", "--mask: ", "there is no such file"),
      Refusal("\(mask) --mask \(pictures.small)", "small.png: it has 16x16 pixels, but the model is for 32x32"),
      Refusal("\(mask) --mask \(pictures.vague)", "vague.png: it has the grey value 13; a mask is white"),
      Refusal("\(mask) --mask \(pictures.left) --first 2", "it has 2 measurements, but --first is 2"),
      Refusal(
        "\(mask) --mask \(pictures.left) --first 1 --count 2",
        "it has 2 measurements, but --first is 1 and --count is 2"),
      Refusal(
        "\(restore) --measured \(pictures.images) --operator coarse=2 --mask \(pictures.left)",
        "--mask: it is for operator mask"),
      Refusal(
        "\(restore) --measured \(pictures.images) --operator coarse=5",
        "--operator: coarse=5 does not divide images of 32 x 32 pixels"),
      Refusal(
        "\(restore) --measured \(pictures.images) --operator coarse=2", "--measured ",
        "its images are 32x32 with 3 channels, but what is measured of the model's images is 16x16 with 3 channels",
        "add --simulate"),
      Refusal(
        "\(restore) --measured \(pictures.first) --operator grey", "0.png: its images are 32x32 with 3 channels",
        "is 32x32 with 1 channel; to measure these whole images first, add --simulate"),
      Refusal(
        "\(restore) --measured \(pictures.first) --operator channels=infrared",
        "--operator: there is no channel infrared; give some of red, green, blue"),
      Refusal(
        "\(restore) --measured \(pictures.grey) --operator grey --noise 0.1,0.2",
        "--noise: there are 2 numbers, but 1 measured channel"),
      Refusal(
        "\(restore) --measured \(pictures.first) --operator blur=1", "--operator: this operator leaves traces",
        "use method pigdm with noise above 0, or dps"),
      Refusal(
        "\(restore) --measured \(pictures.first) --operator blur=1 --method sdedit",
        "--operator: this operator leaves traces"),
      Refusal(
        "\(mask) --mask \(pictures.left) --method dps --steps 1001",
        "--steps: cannot sample in 1001 steps; the process has 1000"),
      Refusal(
        "\(mask) --mask \(pictures.left) --method repaint --steps 5",
        "--jump-length: 10 must be from 1 to the number of steps, 5"),
      Refusal("\(mask) --mask \(pictures.left) --sigma-data -1", "--sigma-data: -1.0 must be positive"),
      Refusal(
        "\(mask) --mask \(pictures.left) --condition \(pictures.grey)",
        "--condition ", "the model was trained without data.conditions"),
      Refusal("\(restore) --measured \(Fixture.nowhere) --operator grey", "there is no such file"),
    ] {
      try await refusal.check()
    }
    #expect(!FileManager.default.fileExists(atPath: Fixture.nowhere + ".h5"))
  }

  /// The advice is none of other commands.
  @Test func picturesThatCannotBeReadAreRefused() async throws {
    let pictures = try await RestorationFixture.pictures.value
    let mask: Words =
      "restore --checkpoint \(try await Fixture.run.made) \(Self.output) --operator mask --mask \(pictures.left)"
    for (picture, parts) in [
      (pictures.transparent, ["it has transparent pixels; write it without transparency"]),
      (pictures.truncated, ["cannot be read as an image", "; replace the file, or leave it out"]),
      (pictures.empty, ["cannot be read as an image", "; replace the file, or leave it out"]),
    ] {
      let run = try await ddpm("\(mask) --measured \(picture)")
      run.isRefused(with: ["--measured \(picture): "] + parts)
      #expect(!run.says("ddpm-mpi pack") && !run.says("--background"), "\(run)")
    }
  }

  @Test func modelsThatDoNotFitAreRefused() async throws {
    let pictures = try await RestorationFixture.pictures.value
    let rest: Words = "--measured \(pictures.images) --operator mask --mask \(pictures.left) \(Self.output)"
    try await Refusal(
      "restore --checkpoint \(try await Fixture.vpSDE.made) --method repaint \(rest)",
      "--method: repaint needs a discrete process; this model's is continuous; use pigdm or imputation"
    ).check()
    try await Refusal(
      "restore --checkpoint \(try await Fixture.alwaysConditioned.made) \(rest)",
      "--class: the model was always conditioned on the class; give that of the measured images"
    ).check()
    try await Refusal(
      "restore --checkpoint \(try await Fixture.guided.made) --class 9 \(rest)",
      "--class: there is no class 9; the classes are 0 to 4"
    ).check()
    try await Refusal(
      "restore --checkpoint \(try await Fixture.run.made) --class 1 \(rest)", "the model was trained without classes"
    ).check()
  }

  @Test func measuredFieldsThatDoNotFitAreRefused() async throws {
    let fields = try await RestorationFixture.fields.value
    let restore: Words = "restore --checkpoint \(fields.model) \(Self.output)"
    for refusal in [
      Refusal(
        "\(restore) --measured \(fields.partial) --operator mask", "--measured ", "v", "its variables need the names"),
      Refusal(
        "\(restore) --measured \(fields.marked) --operator mask",
        "nothing is missing in sample 0; set unknown values to NaN", "choose other samples with --first and --count"),
      Refusal(
        "\(restore) --measured \(fields.blank) --operator mask --first 1",
        "--measured \(fields.blank): all values of sample 1 are missing", "--first and --count"),
      Refusal(
        "\(restore) --measured \(fields.blank) --operator mask --mask seen --first 1",
        "--mask seen: it marks nothing as known in sample 1 of \(fields.blank)", "--first and --count"),
      Refusal(
        "\(restore) --measured \(fields.gaps) --operator coarse=2 --simulate",
        "measured values of sample 0 are missing or infinite; use operator mask"),
      Refusal(
        "\(restore) --measured \(fields.packedGaps) --operator coarse=2 --simulate",
        "measured values of sample 0 are missing or infinite; use operator mask"),
      Refusal(
        "\(restore) --measured \(fields.marked) --operator coarse=2",
        "its fields are 16x16, but what is measured of the model's fields is 8x8", "add --simulate"),
      Refusal(
        "\(restore) --measured \(fields.levels) --operator mask", "--measured ", "it has no variable u, but u_0, u_1",
        "ddpm-mpi pack"),
      Refusal("\(restore) --measured \(fields.marked) --operator grey", "--operator: grey averages channels"),
      Refusal(
        "\(restore) --measured \(fields.marked) --operator mask --mask u",
        "--mask u: it is ", "in sample 0 of ", "a mask is 1 where values are known and 0 elsewhere"),
      Refusal(
        "\(restore) --measured \(fields.marked) --operator mask --mask \(Fixture.nowhere).png",
        "--mask: \(Fixture.nowhere).png: there is no such file"),
      Refusal(
        "\(restore) --measured \(fields.marked) --operator mask --mask sean",
        "it has no array sean", "its variables need the names u, v, and --mask names sean"),
      Refusal(
        "\(restore) --measured \(fields.marked) --operator mask --mask seen,seen,seen", "--mask names 3 variables"),
      Refusal(
        "\(restore) --measured \(fields.marked) --operator channels=w",
        "--operator: there is no channel w; give some of u, v"),
      Refusal(
        "\(restore) --measured \(fields.gaps) --operator mask --noise 0.1,0.2,0.3",
        "--noise: there are 3 numbers, but 2 measured channels"),
      Refusal(
        "\(restore) --measured \(fields.array) --operator mask --mask seen",
        "it is an array without names, of 2 in its last dimension, but u, v are measured of the model's u, v, and a mask",
        "write an .npz"),
      Refusal("\(restore) --measured \(fields.gaps) --operator mask --float", "--float is for images"),
    ] {
      try await refusal.check()
    }
    #expect(!FileManager.default.fileExists(atPath: Fixture.nowhere + ".h5"))
  }
}
