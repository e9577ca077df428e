import Datasets
import Diffusion
import Failures
import Tensors

/// Measured fields: those of a packed file, or of another file whose variables have the names of the model's.
struct MeasuredFields: MeasuredFile {
  private enum Source {
    case packed(PackedFields)
    case other(any FieldSource)

    var channels: [FieldChannel] {
      switch self {
      case .packed(let fields): fields.variables.map { FieldChannel(name: $0.name, units: $0.units) }
      case .other(let fields): fields.channels
      }
    }

    /// [N, h, w].
    var shape: [Int] {
      switch self {
      case .packed(let fields): [fields.count, fields.height, fields.width]
      case .other(let fields): [fields.count, fields.height, fields.width]
      }
    }
  }

  let count: Int
  private let path: String
  private let source: Source
  /// [h, w].
  private let gridShape: [Int]
  /// From the units of each variable to the network's values.
  private let scalings: [FieldScaling]
  /// The channels of the file that are the variables.
  private let channels: [Int]
  /// The channels of the file that are masks, one for all variables or one for each.
  private let masks: [Int]
  private let maskNames: [String]
  private let marksMissing: Bool

  /// - Parameters:
  ///   - path: the file given with `--measured`, which messages name.
  ///   - gridShape: [h, w] of a measurement.
  ///   - wholeShape: [H, W] of the model's fields.
  ///   - variables: those of the model that were measured.
  ///   - modelNames: the names of all variables of the model.
  ///   - normalisation: the model's.
  ///   - maskNames: the variables of the file that are 1 where values are known, given with `--mask`.
  ///   - marksMissing: whether missing values mark what is not known, unless there are masks.
  /// - Throws: `InputError`, `DatasetError`.
  init(
    _ path: String, gridShape: [Int], of wholeShape: [Int], _ variables: [FieldVariable], among modelNames: [String],
    normalisation: FieldNormalisation, masks maskNames: [String], marksMissing: Bool
  ) throws {
    (self.path, self.gridShape, self.maskNames, self.marksMissing) = (path, gridShape, maskNames, marksMissing)
    scalings = variables.map(normalisation.scaling(of:))
    let names = variables.map(\.name)
    guard maskNames.count <= 1 || maskNames.count == names.count else {
      throw InputError(
        "--mask names \(maskNames.count) variables; give one, or one for each of \(names.joined(separator: ", "))")
    }
    source = try Self.open(path, names, masks: maskNames)
    let found = source.channels
    if Self.isUnnamed(path) {
      guard let indices = Self.indices(of: names, amongUnnamed: found.count, modelNames), maskNames.isEmpty else {
        let (measured, all) = (names.joined(separator: ", "), modelNames.joined(separator: ", "))
        let verb = names.count == 1 ? "is" : "are"
        let ofMask = maskNames.isEmpty ? "" : ", and a mask needs a name"
        throw InputError(
          "--measured \(path): it is an array without names, of \(found.count) in its last dimension, but \(measured) "
            + "\(verb) measured of the model's \(all)\(ofMask); write an .npz, NetCDF-4 or HDF5 file")
      }
      channels = indices
    } else {
      channels = try names.map { name in
        try Self.index(
          of: name, in: found, "--measured \(path)",
          remedy: "; write a file with the model's variables, for example with `ddpm-mpi pack \(path) --names`")
      }
    }
    masks = try maskNames.map { try Self.index(of: $0, in: found, "--mask \($0): \(path)") }
    for (variable, channel) in zip(variables, channels) {
      let units = found[channel].units
      guard !unitsDiffer(units, variable.units) else {
        throw InputError(
          "--measured \(path): \(variable.name) is in \"\(units)\", but the model's is in \"\(variable.units)\"; convert it"
        )
      }
    }
    let shape = source.shape
    guard Array(shape.dropFirst()) == gridShape else {
      throw InputError(
        "--measured \(path): its fields are \(shape[1])x\(shape[2]), but what is measured of the model's fields is "
          + "\(gridShape[0])x\(gridShape[1])"
          + (Array(shape.dropFirst()) == wholeShape ? "; to measure these whole fields first, add --simulate" : ""))
    }
    count = shape[0]
  }

  /// Whether a file is a single array of NumPy's, whose channels have no names.
  private static func isUnnamed(_ path: String) -> Bool {
    NumpySource.canRead(path) && !path.lowercased().hasSuffix(".npz")
  }

  /// The channels of an array without names that are the measured variables; nil if there is another number of them.
  /// An array with as many channels as the model has those of the model, another one those that are measured.
  private static func indices(of names: [String], amongUnnamed count: Int, _ modelNames: [String]) -> [Int]? {
    if count == modelNames.count { return names.compactMap { modelNames.firstIndex(of: $0) } }
    return count == names.count ? Array(0..<count) : nil
  }

  private static func open(_ path: String, _ names: [String], masks: [String]) throws -> Source {
    if PackedFields.areIn(path) { return .packed(try PackedFields(path: path)) }
    var selection = FieldSelection()
    if NumpySource.canRead(path) { selection.order = .nhwc }
    if !isUnnamed(path) { selection.variables = names + masks.filter { !names.contains($0) } }
    do { return .other(try FieldFile.open(path, selection)) } catch let error as DatasetError {
      switch error.kind {
      case .unknownName:
        throw InputError(
          "--measured \(path): \(error.problem); its variables need the names \(names.joined(separator: ", "))"
            + (masks.isEmpty
              ? "" : ", and --mask names \(masks.joined(separator: ", ")), which must be there too, or be a PNG file"))
      case .wrongDimensions:
        // What the reader advises are options of `pack`.
        throw InputError(
          "--measured \(path): \(error.problem); bring it to the model's variables with `ddpm-mpi pack \(path) --output "
            + "NEW.h5`, whose --order, --levels and --names say what its dimensions are, and measure that file")
      default: throw InputError("--measured \(error)")
      }
    }
  }

  private static func index(
    of name: String, in channels: [FieldChannel], _ subject: String, remedy: String = ""
  ) throws(InputError) -> Int {
    guard let index = channels.firstIndex(where: { $0.name == name }) else {
      throw InputError(
        "\(subject): it has no variable \(name), but \(channels.map(\.name).joined(separator: ", "))\(remedy)")
    }
    return index
  }

  func read(_ numbers: Range<Int>) throws -> MeasuredSamples {
    let all = try readAll(numbers)
    let values = normalised(chosen(channels, of: all, numbers.count))
    let pixels = gridShape.reduce(1, *)
    var known: [[Bool]]?
    if !masks.isEmpty {
      let marks = chosen(masks, of: all, numbers.count)
      known = try numbers.enumerated().map { row, number in
        let known: [Bool] = try (0..<pixels * masks.count).map { index in
          let mark = marks[row * pixels * masks.count + index]
          guard mark == 0 || mark == 1 else {
            throw InputError(
              "--mask \(maskNames[index % masks.count]): it is \(mark) in sample \(number) of \(path); a mask is 1 where values "
                + "are known and 0 elsewhere")
          }
          return mark == 1
        }
        guard known.contains(true) else {
          throw InputError(
            "--mask \(maskNames.joined(separator: ",")): it marks nothing as known in sample \(number) of \(path)"
              + Self.howToChooseOthers)
        }
        return known
      }
    } else if marksMissing {
      let size = pixels * channels.count
      known = try numbers.enumerated().map { row, number in
        let known = (0..<size).map { !values.elements[row * size + $0].isNaN }
        guard known.contains(false) else {
          throw InputError(
            "--measured \(path): nothing is missing in sample \(number); set unknown values to NaN, or mark them "
              + "with --mask, or choose other samples with --first and --count")
        }
        guard known.contains(true) else {
          throw InputError(
            "--measured \(path): all values of sample \(number) are missing, so that nothing is known of it"
              + Self.howToChooseOthers)
        }
        return known
      }
    }
    return MeasuredSamples(values: values, known: known)
  }

  private static let howToChooseOthers =
    "; choose other samples with --first and --count, or draw fields with `sample`, which needs no measurements"

  private func normalised(_ values: Tensor) -> DoubleTensor {
    var result = DoubleTensor(values)
    for index in result.elements.indices {
      let scaling = scalings[index % scalings.count]
      result.elements[index] = (result.elements[index] - scaling.offset) / scaling.scale
    }
    return result
  }

  /// All channels of the file, in physical units; NaN where a value is missing.
  private func readAll(_ numbers: Range<Int>) throws -> Tensor {
    let result = Tensor(uninitialised: [numbers.count] + gridShape + [source.channels.count])
    switch source {
    case .packed(let fields):
      for (row, number) in numbers.enumerated() { try fields.copyValues(of: number, into: result, at: row) }
      unfill(result, fields.variables)
    case .other(let fields): try fields.read(numbers, into: result)
    }
    return result
  }

  /// Replaces what packing has put in place of missing values, which nobody measured, by NaN.
  private func unfill(_ values: Tensor, _ variables: [FieldVariable]) {
    for (channel, variable) in variables.enumerated() {
      guard let mask = variables.indexOfMask(of: variable.name) else { continue }
      for start in stride(from: 0, to: values.count, by: variables.count) where values[start + mask] == 0 {
        values[start + channel] = .nan
      }
    }
  }

  private func chosen(_ channels: [Int], of all: Tensor, _ count: Int) -> Tensor {
    let result = Tensor(uninitialised: [count] + gridShape + [channels.count])
    let width = all.shape[3]
    for pixel in 0..<all.count / width {
      for (index, channel) in channels.enumerated() {
        result[pixel * channels.count + index] = all[pixel * width + channel]
      }
    }
    return result
  }
}
