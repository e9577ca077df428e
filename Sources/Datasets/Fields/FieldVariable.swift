/// A channel of a set of fields: what it is, and the statistics of its values, in its units.
package struct FieldVariable: Codable, Sendable, Equatable {
  package var name: String
  /// As the source says, such as `m s-1`; empty if unknown.
  package var units: String
  package var mean: Double
  /// Of the values themselves: the mean square is divided by their number, not by one less.
  package var standardDeviation: Double
  package var minimum: Double
  package var maximum: Double
  /// A description in words; empty if there is none.
  package var longName: String

  package init(
    name: String, units: String = "", mean: Double = 0, standardDeviation: Double = 1, minimum: Double,
    maximum: Double, longName: String = ""
  ) {
    self.name = name
    self.units = units
    self.mean = mean
    self.standardDeviation = standardDeviation
    self.minimum = minimum
    self.maximum = maximum
    self.longName = longName
  }

  package var isConstant: Bool { minimum == maximum }
}

/// Whether two units contradict each other. An empty one is unknown: NumPy's arrays have none, and many HDF5 files.
package func unitsDiffer(_ first: String, _ second: String) -> Bool {
  first != second && !first.isEmpty && !second.isEmpty
}

extension [FieldVariable] {
  /// The index of the mask that `ddpm-mpi pack --missing mask` has added for a variable, which is 0 where the mean stands
  /// for a missing value; nil if there is none. Its long name tells it from masks of other meanings.
  package func indexOfMask(of name: String) -> Int? {
    let mask = FieldChannel.mask(of: name)
    return firstIndex { $0.name == mask.name && $0.longName == mask.longName }
  }
}

/// The coordinates along one axis of a grid.
package struct FieldAxis: Codable, Sendable, Equatable {
  /// Such as `latitude`.
  package var name: String
  /// Empty if unknown.
  package var units: String
  /// One for each row or column.
  package var values: [Double]

  package init(name: String, units: String = "", values: [Double]) {
    self.name = name
    self.units = units
    self.values = values
  }

  /// Whether every row or column has a coordinate.
  var isComplete: Bool { values.allSatisfy(\.isFinite) }

  /// What a user should know of coordinates that are not complete.
  static func remark(onIncomplete name: String) -> String {
    "the coordinates \(name) are left out: some of them are missing or infinite"
  }
}

/// The coordinates of a grid's rows and columns; nil where the source has none.
package struct FieldCoordinates: Codable, Sendable, Equatable {
  package var y: FieldAxis?
  package var x: FieldAxis?

  package init(y: FieldAxis? = nil, x: FieldAxis? = nil) {
    self.y = y
    self.x = x
  }
}
