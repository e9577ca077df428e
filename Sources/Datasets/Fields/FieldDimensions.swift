/// A dimension of a variable that has a name.
struct FieldDimension: Sendable, Equatable {
  let name: String
  /// nil if neither its name nor the attributes of its coordinates say it.
  let role: FieldRole?
}

/// The dimensions of a variable, of which at least one has a name.
struct FieldDimensions {
  /// The variable's name and its file, for messages.
  let subject: String
  let path: String
  /// In three or four dimensions.
  let shape: [Int]
  /// One for each axis; nil where it has no name.
  let dimensions: [FieldDimension?]

  /// The order of the roles that is taken where names do not say otherwise.
  private var usual: [FieldRole] { FieldOrder.nchw.roles(rank: shape.count) }

  /// The role of each axis: what is known of it or, for axes of which nothing is known, what remains.
  /// - Throws: `DatasetError` if more than one choice remains, and it is not the usual order.
  func roles() throws(DatasetError) -> [FieldRole] {
    var known: [FieldRole?] = dimensions.indices.map { isRepeated($0) ? nil : dimensions[$0]?.role }
    if shape.count == 3, known.contains(.channel) { return try roles(ofSection: known) }
    let samples = indices(of: .sample, known)
    if shape.count == 4, samples.count == 2, !known.contains(.channel), let single = samples.last(where: isSingle) {
      known[single] = .channel
    }
    for role in usual {
      let axes = indices(of: role, known)
      if axes.count > 1 { throw severalDimensions(of: role, axes) }
    }
    if zip(known, usual).allSatisfy({ $0 == nil || $0 == $1 }) { return usual }

    let unknown = known.indices.filter { known[$0] == nil }
    let missing = usual.filter { !known.contains($0) }
    // Rows and columns are found by their order; of what else is missing there may be only one.
    guard unknown.count < 2 || missing == [.y, .x] else { throw unclear(missing) }
    // A dimension before that of samples may well be one of samples too, such as the members of an ensemble.
    if missing == [.channel], let axis = unknown.first, !isSingle(axis), axis < known.firstIndex(of: .sample) ?? 0 {
      throw unclear(missing)
    }
    for (axis, role) in zip(unknown, missing) { known[axis] = role }
    return known.compactMap(\.self)
  }

  /// The roles of a variable in three dimensions of which one is that of levels: a vertical section, or a single level.
  private func roles(ofSection known: [FieldRole?]) throws(DatasetError) -> [FieldRole] {
    let (levels, samples) = (indices(of: .channel, known), indices(of: .sample, known))
    if levels.count > 1 { throw severalDimensions(of: .channel, levels) }
    if samples.count > 1 { throw severalDimensions(of: .sample, samples) }
    let other: Int? = known[0] == nil ? 0 : isSingle(levels[0]) ? levels[0] : nil
    guard let sample = samples.first ?? other else { throw levelsWithoutSamples(levels[0]) }
    let horizontal = known.filter { $0 == .y || $0 == .x }
    var roles: [FieldRole] = horizontal == [.x, .y] ? [.x, .y] : [.y, .x]
    roles.insert(.sample, at: sample)
    return roles
  }

  private func isSingle(_ axis: Int) -> Bool { shape[axis] == 1 }

  private func indices(of role: FieldRole, _ known: [FieldRole?]) -> [Int] {
    known.indices.filter { known[$0] == role }
  }

  /// Whether an axis has the dimension of another one, as those of a matrix may have: nothing tells which is which.
  private func isRepeated(_ index: Int) -> Bool {
    guard let dimension = dimensions[index] else { return false }
    return dimensions.indices.contains { $0 != index && dimensions[$0]?.name == dimension.name }
  }

  // MARK: Messages

  /// `p has the dimensions member (3), time (8), lat (16), lon (16)`.
  private var description: String {
    let list = dimensions.indices.map { "\(name($0)) (\(shape[$0]))" }
    return "\(subject) has the dimensions \(list.joined(separator: ", "))"
  }

  private func name(_ axis: Int) -> String { dimensions[axis]?.name ?? "?" }

  private static let order = "or say what each of them is, whatever its name, with --order nhwc, nchw or hwcn"

  private func severalDimensions(of role: FieldRole, _ axes: [Int]) -> DatasetError {
    let names = axes.map(name)
    let list = names.map { "\"\($0)\"" }.joined(separator: ", ")
    let join =
      role == .sample ? ", or make one dimension of them, dataset.stack(sample=(\(list))).reset_index(\"sample\")" : ""
    return DatasetError(
      .wrongDimensions, path, "\(description): \(names.joined(separator: " and ")) are both \(role.plural)",
      advice: "select from one of them first (in Python, with xarray: dataset.isel(\(names[0])=0)\(join)), "
        + Self.order)
  }

  private func unclear(_ missing: [FieldRole]) -> DatasetError {
    DatasetError(
      .wrongDimensions, path,
      "\(description), and it is not clear which are \(missing.map(\.plural).joined(separator: ", "))",
      advice: "first put them into the order [time, y, x] or [time, level, y, x] (in Python, with xarray: "
        + "dataset.transpose), \(Self.order)")
  }

  private func levelsWithoutSamples(_ axis: Int) -> DatasetError {
    let order: FieldOrder? = axis == 0 ? .nhwc : axis == 2 ? .hwcn : nil
    return DatasetError(
      .wrongDimensions, path, "\(description): levels, but no time",
      advice: "add a dimension of time, so that each level becomes a channel (in Python, with xarray: "
        + "dataset.expand_dims(\"time\"))"
        + (order.map { ", or add --order \($0.rawValue), by which each level becomes a sample" } ?? ""))
  }
}
