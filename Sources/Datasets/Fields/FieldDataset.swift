import Tensors

/// Fields as networks take them: normalised, and with the channels in order, first those that are drawn, then those that
/// are given.
package struct FieldDataset: Dataset {
  package let imageShape: [Int]
  package let description: FieldDescription
  /// Of the contents, the order of the channels and the scalings.
  package let fingerprint: UInt64
  private let source: any PhysicalFields
  /// For each channel its index in the source.
  private let order: [Int]
  private let scalings: [FieldScaling]
  /// For each drawn channel its mask in the source; nil where all values are present.
  private let masks: [Int?]

  /// - Parameters:
  ///   - conditions: the names of the variables that are given, in order.
  ///   - normalisation: by the source's own statistics.
  /// - Throws: `DatasetError` if there are no such variables, none is left to be drawn, or one that is drawn is constant.
  package init(
    _ source: any PhysicalFields, conditions: [String] = [], normalisation: FieldNormalisation = .standard
  ) throws(DatasetError) {
    let variables = source.variables
    let names = variables.map(\.name)
    if let name = conditions.first(where: { !names.contains($0) }) {
      throw DatasetError(
        .unknownName, "data.conditions", "\(source.name) has no variable \(name)",
        advice: "it has \(names.joined(separator: ", "))")
    }
    let drawn = variables.filter { !conditions.contains($0.name) }
    guard !drawn.isEmpty else {
      throw DatasetError(
        .wrongLayout, "data.conditions", "all variables of \(source.name) are given, and none is left to be drawn",
        advice: "leave out those that the model is to draw")
    }
    let nothingVaries = drawn.allSatisfy(\.isConstant)
    if nothingVaries || normalisation != .none, let constant = drawn.first(where: \.isConstant) {
      throw DatasetError(
        .wrongLayout, "data.name",
        "\(constant.name) of \(source.name) is \(constant.minimum) everywhere, so it cannot be normalised, and there is "
          + "nothing to learn",
        advice: nothingVaries
          ? "draw a variable that varies: choose others with `ddpm-mpi pack --variables`, or leave some out of "
            + "data.conditions"
          : "name it in data.conditions, or pack the fields without it (`ddpm-mpi pack --variables`), or set "
            + "data.normalisation=none")
    }
    let given = conditions.compactMap { name in variables.first { $0.name == name } }
    self.init(
      source,
      FieldDescription(
        variables: drawn, conditions: given, normalisation: normalisation, coordinates: source.coordinates))
  }

  /// Fields for a model: its variables in its order, normalised as in its training.
  /// - Parameter location: what messages call the source; by default its name.
  /// - Throws: `DatasetError` if the source lacks one of them, or has it in other units.
  package init(
    _ source: any PhysicalFields, as description: FieldDescription, location: String? = nil
  ) throws(DatasetError) {
    let location = location ?? source.name
    for needed in description.variables + description.conditions {
      guard let variable = source.variables.first(where: { $0.name == needed.name }) else {
        throw DatasetError(
          .unknownName, location, "it has no variable \(needed.name), which the model was trained with",
          advice: "it has \(source.variables.map(\.name).joined(separator: ", "))")
      }
      guard !unitsDiffer(variable.units, needed.units) else {
        throw DatasetError(
          .wrongLayout, location,
          "\(variable.name) is in \"\(variable.units)\", but the model was trained with \"\(needed.units)\"",
          advice: "convert it, or correct the units")
      }
    }
    self.init(source, description)
  }

  /// - Parameter description: of variables that the source has.
  private init(_ source: any PhysicalFields, _ description: FieldDescription) {
    self.source = source
    self.description = description
    let (names, variables) = (source.variables.map(\.name), description.variables + description.conditions)
    order = variables.compactMap { names.firstIndex(of: $0.name) }
    scalings = variables.map(description.normalisation.scaling(of:))
    masks = description.variables.map { source.variables.indexOfMask(of: $0.name) }
    imageShape = [source.fieldShape[0], source.fieldShape[1], variables.count]
    var fingerprint = Fingerprint(order + [description.conditions.count])
    fingerprint.add(source.fingerprint)
    for scaling in scalings {
      fingerprint.add(scaling.offset.bitPattern)
      fingerprint.add(scaling.scale.bitPattern)
    }
    self.fingerprint = fingerprint.value
  }

  package var name: String { source.name }
  package var count: Int { source.count }
  package var conditionChannels: Int { description.conditions.count }
  package var fields: FieldDescription? { description }
  package var classNames: [String] { [] }
  /// A mirrored field may be impossible: the components of a vector would have to change their signs.
  package var allowsFlips: Bool { false }
  package var contentMark: UInt64 { Fingerprint.of([fingerprint, source.contentMark]) }
  package var readsFiles: Bool { source.readsFiles }

  /// The names of the drawn variables that have a mask, since values were missing when they were packed.
  package var incompleteVariables: [String] {
    zip(description.variables, masks).filter { $1 != nil }.map { $0.0.name }
  }

  /// Which values of the drawn channels of a sample were present when it was packed, [H · W · C].
  /// - Throws: `DatasetError` if the sample cannot be read.
  package func presence(in index: Int) throws(DatasetError) -> [Bool] {
    let sample = Tensor(uninitialised: source.fieldShape)
    try source.read(index, into: sample)
    let channels = sample.shape[2]
    return (0..<height * width).flatMap { pixel in
      masks.map { mask in mask.map { sample[pixel * channels + $0] != 0 } ?? true }
    }
  }

  package func label(of index: Int) -> Int? { nil }

  package func copyValues(of index: Int, into target: Tensor, at position: Int, flipped: Bool) throws {
    let sample = Tensor(uninitialised: source.fieldShape)
    try source.read(index, into: sample)
    let (start, width, sourceCount) = (position * elementsPerImage, self.width, sample.shape[2])
    for pixel in 0..<height * width {
      let column = pixel % width
      let from = (flipped ? pixel + width - 1 - 2 * column : pixel) * sourceCount
      let to = start + pixel * order.count
      for channel in 0..<order.count {
        target[to + channel] = scalings[channel].normalised(sample[from + order[channel]])
      }
    }
  }
}
