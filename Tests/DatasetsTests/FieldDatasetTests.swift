import Datasets
import RealModule
import Tensors
import Testing

/// Fields in memory, whose statistics are what a test needs.
private struct TestFields: PhysicalFields {
  let name = "test"
  var fieldShape = [2, 3, 3]
  var variables = [
    FieldVariable(name: "u", units: "m/s", mean: 2, standardDeviation: 4, minimum: -6, maximum: 10),
    FieldVariable(name: "mask", mean: 1, standardDeviation: 0, minimum: 1, maximum: 1),
    FieldVariable(name: "T", units: "K", mean: 280, standardDeviation: 10, minimum: 250, maximum: 310),
  ]
  var coordinates = FieldCoordinates(x: FieldAxis(name: "lon", units: "degrees_east", values: [0, 1, 2.5]))
  var count: Int { 4 }
  var fingerprint: UInt64 { 77 }
  var contentMark: UInt64 { 78 }
  var readsFiles: Bool { true }

  func value(_ index: Int, pixel: Int, channel: Int) -> Float {
    [Float(index + pixel), 1, 275.5 + Float(2 * index + pixel)][channel]
  }

  func read(_ index: Int, into target: Tensor) {
    for element in 0..<target.count { target[element] = value(index, pixel: element / 3, channel: element % 3) }
  }
}

struct FieldDatasetTests {
  private let source = TestFields()

  private func sample(_ dataset: FieldDataset, _ index: Int, flipped: Bool = false) throws -> [Float] {
    let batch = Tensor(repeating: -99, shape: [2] + dataset.imageShape)
    try dataset.copyValues(of: index, into: batch, at: 1, flipped: flipped)
    #expect(batch[image: 0].elements.allSatisfy { $0 == -99 })
    return batch[image: 1].elements
  }

  private func refusal(
    _ conditions: [String], _ normalisation: FieldNormalisation = .standard
  ) -> DatasetError? {
    #expect(throws: DatasetError.self) {
      _ = try FieldDataset(source, conditions: conditions, normalisation: normalisation)
    }
  }

  @Test func drawnChannelsComeFirstAndAreNormalised() throws {
    let dataset = try FieldDataset(source, conditions: ["T", "mask"])
    #expect(dataset.imageShape == [2, 3, 3] && dataset.drawnShape == [2, 3, 1] && dataset.conditionChannels == 2)
    #expect(dataset.fields?.variables.map(\.name) == ["u"] && dataset.fields?.conditions.map(\.name) == ["T", "mask"])
    #expect(dataset.readsFiles && !dataset.allowsFlips && dataset.images == nil && dataset.label(of: 1) == nil)
    let values = try sample(dataset, 2)
    for pixel in 0..<6 {
      let expected = [(Float(2 + pixel) - 2) / 4, (279.5 + Float(pixel) - 280) / 10, 0]
      #expect(Array(values[3 * pixel..<3 * pixel + 3]) == expected)
    }
  }

  @Test func rangesAreThoseOfImagesAndNoneChangesNothing() throws {
    let range = try sample(FieldDataset(source, conditions: ["mask"], normalisation: .range), 0)
    let expected: [Float] = [-1 / 8, -3.5 / 30, 0]
    #expect(Array(range[3..<6]) == expected)
    let plain = try sample(FieldDataset(source, normalisation: .none), 3)
    #expect(Array(plain[..<3]) == [3, 1, 281.5])
  }

  @Test func leftAndRightAreSwapped() throws {
    let dataset = try FieldDataset(source, normalisation: .none)
    let (values, flipped) = (try sample(dataset, 1), try sample(dataset, 1, flipped: true))
    for row in 0..<2 {
      for column in 0..<3 {
        let (to, from) = (3 * (3 * row + column), 3 * (3 * row + 2 - column))
        #expect(flipped[to..<to + 3].elementsEqual(values[from..<from + 3]))
      }
    }
  }

  @Test func conditionsThatDoNotFitAreRefused() throws {
    #expect(refusal(["v"])?.problem == "test has no variable v")
    #expect(refusal(["v"])?.advice == "it has u, mask, T")
    #expect(refusal(["u", "mask", "T"])?.problem.contains("none is left to be drawn") == true)
  }

  @Test func aConstantVariableIsOnlyGiven() throws {
    for normalisation in [FieldNormalisation.standard, .range] {
      let error = refusal([], normalisation)
      #expect(error?.problem.hasPrefix("mask of test is 1.0 everywhere") == true)
      #expect(error?.advice.contains("data.conditions") == true && error?.advice.contains("--variables") == true)
      _ = try FieldDataset(source, conditions: ["mask"], normalisation: normalisation)
    }
    _ = try FieldDataset(source, normalisation: .none)
    for normalisation in FieldNormalisation.allCases {
      let error = refusal(["u", "T"], normalisation)
      #expect(error?.problem.hasPrefix("mask of test is 1.0") == true)
      // No normalisation helps then, and nothing would be left to be drawn without it.
      #expect(error?.advice.contains("normalisation") == false && error?.advice.hasPrefix("draw a variable") == true)
    }
  }

  @Test func fingerprintCoversOrderAndScaling() throws {
    var other = source
    other.variables[0].mean = 3
    let datasets = [
      try FieldDataset(source, conditions: ["mask"]), try FieldDataset(source, conditions: ["mask", "u"]),
      try FieldDataset(source, conditions: ["mask"], normalisation: .range),
      try FieldDataset(source, normalisation: .none), try FieldDataset(other, conditions: ["mask"]),
    ]
    #expect(Set(datasets.map(\.fingerprint)).count == datasets.count)
    #expect(try FieldDataset(source, conditions: ["mask"]).fingerprint == datasets[0].fingerprint)
  }

  @Test func aModelsStatisticsAreUsedForOtherFields() throws {
    let trained = try FieldDataset(source, conditions: ["mask"]).description
    var other = source
    other.variables = [source.variables[0], source.variables[1], source.variables[2]].map { variable in
      var variable = variable
      variable.mean += 1
      return variable
    }
    let dataset = try FieldDataset(other, as: trained)
    #expect(dataset.description == trained)
    #expect(try sample(dataset, 1) == sample(FieldDataset(source, conditions: ["mask"]), 1))
    other.variables[2].units = "degC"
    let units = #expect(throws: DatasetError.self) { _ = try FieldDataset(other, as: trained) }
    #expect(units?.problem == "T is in \"degC\", but the model was trained with \"K\"")
    // NumPy's arrays say no units.
    other.variables[2].units = ""
    #expect(try FieldDataset(other, as: trained).description == trained)
    other.variables[2].name = "temperature"
    let name = #expect(throws: DatasetError.self) { _ = try FieldDataset(other, as: trained) }
    #expect(name?.problem.contains("no variable T") == true)
  }

  @Test func theGaussianFieldNeedsNoFile() throws {
    let dataset = try DatasetCatalog.load(name: "gaussian-field", conditions: ["field_2"], channels: 3)
    #expect(dataset.imageShape == [32, 32, 3] && dataset.drawnShape == [32, 32, 2] && !dataset.readsFiles)
    #expect(dataset.fields?.variables.map(\.name) == ["field_1", "field_3"])
    // Its statistics are known: standardised values are the field's own.
    let (field, values) = (GaussianField(size: 32, channels: 3), Tensor(uninitialised: [32, 32, 3]))
    field.copyValues(of: 5, into: values)
    let sample = Tensor(uninitialised: [1, 32, 32, 3])
    try dataset.copyValues(of: 5, into: sample, at: 0, flipped: false)
    for pixel in 0..<1024 {
      #expect([0, 2, 1].map { values[3 * pixel + $0] } == (0..<3).map { sample[3 * pixel + $0] })
    }
    let test = try DatasetCatalog.load(name: "gaussian-field", split: .test)
    #expect(test.imageShape == [32, 32, 1] && test.fingerprint != dataset.fingerprint)
    #expect(DatasetCatalog.imageShape(name: "gaussian-field", channels: 3) == [32, 32, 3])
  }
}

struct FieldDescriptionTests {
  private let description = FieldDescription(
    variables: [
      FieldVariable(
        name: "u", units: "m/s", mean: 0.1, standardDeviation: 1.0 / 3, minimum: -7, maximum: 1e-30, longName: "größer"),
      FieldVariable(name: "T", mean: 280, standardDeviation: 10, minimum: 250, maximum: 310),
    ], conditions: [FieldVariable(name: "mask", mean: 1, standardDeviation: 0, minimum: 1, maximum: 1)],
    normalisation: .range, coordinates: FieldCoordinates(y: FieldAxis(name: "lat", values: [60, 59.9])))

  private func read(_ json: String, _ shape: [Int] = [2, 3, 2], _ conditions: [String] = ["mask"]) -> DatasetError? {
    do throws(DatasetError) {
      _ = try FieldDescription(json: json, imageShape: shape, conditions: conditions)
      return nil
    } catch { return error }
  }

  @Test func textParsesBackToTheSameDescription() throws {
    #expect(
      try FieldDescription(json: description.json, imageShape: [2, 3, 2], conditions: ["mask"]) == description)
    #expect(description.json == description.json)
  }

  @Test func descriptionsOfOtherFieldsAreRefused() {
    func changed(_ change: (inout FieldDescription) -> Void) -> String {
      var copy = description
      change(&copy)
      return copy.json
    }
    for text in ["", "{}", "[1", "{\"variables\": []}", description.json.replacing("range", with: "other")] {
      #expect(read(text)?.problem == "it is not a description in JSON", "\(text)")
    }
    #expect(read(description.json, [2, 3, 1])?.problem == "it describes 2 drawn channels, but there are 1")
    #expect(read(description.json, [2, 3, 2], [])?.problem.contains("data.conditions is []") == true)
    #expect(read(description.json, [3, 3, 2])?.problem == "its coordinates of lat are not 3 finite numbers")
    #expect(read(changed { $0.variables[1].name = "u" })?.problem.contains("the same ones") == true)
    #expect(read(changed { $0.variables[1].name = "" })?.problem.contains("no names") == true)
    #expect(read(changed { $0.variables[1].standardDeviation = -1 })?.problem.contains("statistics of T") == true)
    #expect(
      read(changed { $0.variables[1].maximum = 240 })?.problem == "the statistics of T are not possible")
    // A range that overflows.
    #expect(
      read(
        changed {
          $0.variables[1].minimum = -1.5e308
          $0.variables[1].maximum = 1.5e308
        })?.problem == "the statistics of T are not possible")
  }

  /// What goes in comes out again: the normalised value is rounded, by 2⁻²⁴ of its distance from the offset, and the
  /// result by half a unit.
  @Test(arguments: FieldNormalisation.allCases) func valuesRoundTrip(normalisation: FieldNormalisation) {
    var description = description
    description.normalisation = normalisation
    let original = Tensor(uninitialised: [2, 500, 2])
    for index in 0..<500 {
      let wave = Float.sin(Float(index))
      for sample in 0..<2 {
        original[1000 * sample + 2 * index] = wave / 3
        original[1000 * sample + 2 * index + 1] = 280 + 10 * wave
      }
    }
    let values = original.copied()
    description.normalise(values, as: description.variables)
    if normalisation == .none { #expect(values.elements == original.elements) }
    description.denormalise(values, as: description.variables)
    for index in 0..<values.count {
      let scaling = normalisation.scaling(of: description.variables[index % 2])
      let largest = max(abs(original[index]), Float(abs(scaling.offset)))
      #expect(abs(values[index] - original[index]) <= 2.5 * largest.ulp)
      // Far from 0 and close to the offset: exact to a unit.
      if index % 2 == 1 { #expect(abs(values[index] - original[index]) <= original[index].ulp) }
    }
  }

  @Test func sigmaDataIsTheStandardDeviationOfNormalisedValues() {
    func sigma(_ normalisation: FieldNormalisation) -> Double {
      var copy = description
      copy.normalisation = normalisation
      return copy.sigmaData
    }
    #expect(sigma(.standard) == 1)
    let (u, t) = (1.0 / 3 / 3.5, 10.0 / 30)
    #expect(abs(sigma(.range) / ((u * u + t * t) / 2).squareRoot() - 1) < 1e-15)
    #expect(abs(sigma(.none) / ((1.0 / 9 + 100) / 2).squareRoot() - 1) < 1e-15)
  }
}

struct FieldTableTests {
  private func lines(name: String = "u", units: String) -> [String] {
    FieldTable.lines([
      FieldVariable(name: name, units: units, minimum: -1, maximum: 1),
      FieldVariable(name: "T", units: "K", minimum: 250, maximum: 310),
    ])
  }

  @Test func columnsAreAligned() {
    #expect(
      lines(units: "m s-1") == [
        "name  units  mean  sd  min  max", "u     m s-1     0   1   -1    1", "T     K         0   1  250  310",
      ])
  }

  @Test func everyVariableHasOneLineOfLimitedLength() {
    let hostile = lines(name: "wind\nspeed", units: String(repeating: "m\t\u{1b}[2J", count: 1000))
    #expect(hostile.count == 3 && Set(hostile.map(\.count)).count == 1 && hostile[0].count < 100)
    #expect(hostile[1].hasPrefix("wind\\u{a}speed  m\\u{9}\\u{1b}[2J") && hostile[1].contains("…"))
    #expect(!hostile.contains { $0.contains(where: \.isNewline) })
  }
}

struct GreyConditionedImagesTests {
  @Test func theGreyValueIsTheLastChannel() throws {
    let shapes = Shapes(count: 20, size: 8)
    let dataset = try GreyConditionedImages(shapes)
    #expect(dataset.imageShape == [8, 8, 4] && dataset.drawnShape == [8, 8, 3] && dataset.fields == nil)
    #expect(dataset.images?.imageShape == [8, 8, 3] && dataset.classNames == shapes.classNames)
    let bytes = try shapes.bytes(of: 7)
    for flipped in [false, true] {
      let (sample, colours) = (Tensor(uninitialised: [2, 8, 8, 4]), Tensor(uninitialised: [1, 8, 8, 3]))
      try dataset.copyValues(of: 7, into: sample, at: 1, flipped: flipped)
      try shapes.copyValues(of: 7, into: colours, at: 0, flipped: flipped)
      for pixel in 0..<64 {
        let source = flipped ? pixel / 8 * 8 + 7 - pixel % 8 : pixel
        let values = (0..<4).map { sample[image: 1][4 * pixel + $0] }
        #expect(Array(values[..<3]) == (0..<3).map { colours[3 * pixel + $0] })
        let weighted = zip([0.299, 0.587, 0.114], 0..<3).map { $0 * Double(bytes[3 * source + $1]) }.reduce(0, +)
        // The weights are rounded to 2⁻¹⁶.
        let grey = Double((values[3] + 1) * 127.5)
        #expect(abs(grey - grey.rounded()) < 1e-3 && abs(grey - weighted) < 0.51)
      }
    }
    #expect(throws: DatasetError.self) { _ = try GreyConditionedImages(Shapes(count: 2, size: 8, channels: 1)) }
  }

  @Test func onlyGreyCanBeGivenWithImages() throws {
    #expect(try DatasetCatalog.load(name: "shapes", conditions: ["grey"]).conditionChannels == 1)
    let error = #expect(throws: DatasetError.self) { try DatasetCatalog.load(name: "shapes", conditions: ["red"]) }
    #expect(error?.location == "data.conditions" && error?.advice.hasPrefix("grey") == true)
  }
}
