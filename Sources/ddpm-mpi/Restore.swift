import ArgumentParser
import Diffusion
import Files
import Inference
import MessagePassing

struct Restore: RankCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw images or fields that fit measurements.",
    usage: """
      ddpm-mpi restore --checkpoint <folder-or-file> --measured <file>
                       --operator mask|coarse=K|grey|blur=S|channels=NAMES
                       [--mask <file.png-or-names>] [--noise <x,x,...>]
                       [--simulate]
                       [--output <file.h5> [--float]] [--grid <file.png>]
                       [--images <folder>]
                       [--members <n>] [--first <k>] [--count <n>]
                       [--seed <n>] [--class <k> | --classes <k,k,...>]
                       [--condition <file>]
                       [--method pigdm|dps|repaint|imputation|sdedit]
                       [--steps <n>] [--spacing leading|trailing|linspace]
                       [--sampler <name>] [--sigma-data <x>]
                       [--iterations <n>] [--scale <x>]
                       [--variance small|large|learned-range|learned]
                       [--jump-length <n>] [--resamplings <n>]
                       [--corrections <n>] [--snr <x>] [--strength <x>]
                       [--weights ema|model|<decay>]
                       [--batch <n>] [--threads <n>]
      """,
    discussion: """
      --measured is what is known: images with unknown parts, coarse, grey or blurred ones, or some of a field's \
      variables; --operator says which. The model is an ordinary one, and need not have been trained for this. Each \
      measurement gets an ensemble of --members images; member m of measurement i depends only on the seed, i and m. \
      No method draws exactly from the distribution of images given the measurement; docs/restoring.md says how close \
      each comes.

      OPERATORS
      \(helpList(OperatorName.allCases.map { ($0.usage, $0.summary) }))

      METHODS
      \(helpList(RestorationName.allCases.map { ($0.rawValue, $0.summary) }))

      EXAMPLES
        mpirun -n 8 ddpm-mpi restore --checkpoint runs/quickstart \\
          --measured halves --operator mask --mask left.png --members 8 \\
          --output restored.h5 --grid restored.png
        ddpm-mpi restore --checkpoint runs/turbulence --measured stations.nc \\
          --operator mask --noise 0.1 --members 16 --output fields.nc
      """)

  @OptionGroup var model: ModelOptions

  @Option(
    help: ArgumentHelp(
      "Measurements. Images: a PNG or JPEG file, a folder of them, or an HDF5 file with `images`. Fields: a packed file, or "
        + "an HDF5, NetCDF-4 or NumPy file whose variables have the model's names.", valueName: "file"))
  var measured: String

  @Option(
    name: .customLong("operator"),
    help: ArgumentHelp("What was measured; without it sdedit takes whole images.", valueName: "operator"),
    transform: { try OperatorSettings($0) })
  var forward: OperatorSettings?

  @Option(
    help: ArgumentHelp(
      "What is known, for mask: a PNG file, white where pixels are known; for fields, the name of a variable of the file "
        + "that is 1 where values are known, or one such name for each measured variable (default: where fields have "
        + "values).",
      valueName: "file.png-or-names"))
  var mask: String?

  @Option(
    number:
      "Standard deviation of the measurements' noise, for fields in their units, for images in those of values from "
      + "-1 to 1; one number, or one for each measured channel (default: 0).", valueName: "x,x,...")
  var noise: CommaSeparated<Double>?

  @Flag(help: "Measure whole images or fields of --measured first, with that noise, to try a method.")
  var simulate = false

  @Option(number: "Images drawn for each measurement.")
  var members = 1

  @Option(number: "Index of the first measurement.", valueName: "k")
  var first = 0

  @Option(number: "Number of measurements (default: all from the first).")
  var count: Int?

  @Option(number: "Seed of latents and noise.")
  var seed: UInt64 = 0

  @Option(
    name: .customLong("class"), number: "Class of all measurements, or none (default: none).", valueName: "k")
  var classNumber: ClassNumber?

  @Option(number: "Classes of the measurements in turn.", valueName: "k,k,...")
  var classes: CommaSeparated<ClassNumber>?

  @Option(
    help: ArgumentHelp("Conditions of the measurements in turn, for models with data.conditions.", valueName: "file"))
  var condition: String?

  @OptionGroup var restoration: RestorationOptions

  @Option(help: ArgumentHelp("Write the images or fields to an HDF5 file.", valueName: "file.h5"))
  var output: String?

  @Option(help: ArgumentHelp("Write a sheet of the first ones.", valueName: "file.png"))
  var grid: String?

  @Option(
    help: ArgumentHelp(
      "Write PNG files, 000000-0000.png and so on, by measurement and member, to a new or empty folder.",
      valueName: "folder"))
  var images: String?

  @Flag(help: "Also write the float32 datasets `samples`, the images in [-1, 1], and `latents`.")
  var float = false

  func validate() throws {
    let numbers = OptionRange.imageNumbers
    try require("--members", members, in: 1...DrawNumber.memberLimit)
    try require("--first", first, in: 0...numbers.upperBound - 1)
    try require("--count", count, in: 1...numbers.upperBound - first)
    for value in noise?.elements ?? [] where !(value >= 0 && value.isFinite) {
      throw ValidationError("--noise has \(value); it must not be negative.")
    }
    if classNumber != nil && classes != nil { throw ValidationError("--class and --classes exclude each other.") }
    if output == nil && grid == nil && images == nil {
      throw ValidationError("Nothing would be written: give --output, --images or --grid.")
    }
    if float && output == nil { throw ValidationError("--float needs --output.") }
    if forward == nil && restoration.method != .sdedit {
      throw ValidationError("Missing expected argument '--operator': only sdedit takes whole images.")
    }
    if !restoration.method.acceptsNoise, noise?.elements.contains(where: { $0 > 0 }) == true {
      throw ValidationError(
        "--noise is above 0, but method \(restoration.method.rawValue) takes measurements as exact; use pigdm or dps.")
    }
  }

  var files: CommandFiles {
    CommandFiles(
      inputs: model.files + NamedFile.list(("--measured", measured), ("--mask", mask), ("--condition", condition)),
      outputs: outputs.files, outputFolders: outputs.folders)
  }

  private var outputs: ImageOutputs {
    ImageOutputs(file: output, grid: grid, images: images, writesFloats: float)
  }

  mutating func run(on communicator: Communicator) throws {
    var request = MeasuredRequest(path: measured, forward: forward)
    request.mask = mask
    if let noise { request.noise = noise.elements }
    request.isSimulated = simulate
    var job = RestoreJob(model.request(), request)
    job.method = restoration.settings
    job.steps = restoration.steps
    job.sigmaData = restoration.sigmaData
    job.members = members
    job.first = first
    job.count = count
    job.seed = seed
    job.classes = classNumber.map { [$0.number] } ?? classes?.elements.map(\.number)
    job.condition = condition
    job.outputs = outputs
    try job.run(communicator: communicator)
  }
}
