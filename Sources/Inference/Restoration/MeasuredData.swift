import Configuration
import Datasets
import Diffusion
import Failures
import MessagePassing
import Tensors

/// What was measured: a file, the operator and the noise.
package struct MeasuredRequest: Sendable {
  /// Images: a PNG or JPEG file, a folder of them, or an HDF5 file with `images`. Fields: a packed file, or one whose
  /// variables have the names of the model's.
  package var path: String
  /// nil if whole images were measured.
  package var forward: OperatorSettings?
  /// Which pixels are known, for the operator `mask`: a PNG file, or variables of the file of fields; nil if missing values
  /// are the unknown ones.
  package var mask: String?
  /// The standard deviation of the noise on measurements: one number, or one for each measured channel. For fields it is in
  /// the units of their variables, for images in those of values from −1 to 1.
  package var noise = [0.0]
  /// Whether the file has whole images, which are to be measured first, with noise that depends on the seed and the
  /// image's number alone.
  package var isSimulated = false

  package init(path: String, forward: OperatorSettings?) {
    self.path = path
    self.forward = forward
  }
}

/// Samples of measured values, as the network takes them.
struct MeasuredSamples {
  /// [N, h, w, c]; NaN where a value is missing.
  var values: DoubleTensor
  /// For each sample which of its elements, or of its pixels, are known; nil if the file does not say.
  var known: [[Bool]]?
}

/// A file of measured values.
protocol MeasuredFile {
  var count: Int { get }

  /// Consecutive samples.
  func read(_ numbers: Range<Int>) throws -> MeasuredSamples
}

/// The measurements of a file by number, as the network's values.
///
/// A network computes with normalised channels. Operators that keep channels apart map constants to constants, so the
/// measurement of a normalised channel is the normalised measurement, and its noise is divided by the channel's scale.
struct MeasuredData {
  /// Consecutive measurements by the same operator.
  struct Group {
    let numbers: Range<Int>
    /// One for each number.
    let measurement: Measurement
  }

  let count: Int
  private let request: MeasuredRequest
  private let file: any MeasuredFile
  private let imageShape: [Int]
  /// nil for masks, since each measurement may have its own.
  private let forward: (any MeasurementOperator)?
  /// By pixel, the same for all measurements; nil if the file has the masks.
  private let mask: [Bool]?
  /// For each channel of images, that on its normalised values.
  private let noise: [Double]
  private let seed: UInt64

  /// - Parameter seed: for simulated noise.
  /// - Throws: `InputError` and `DatasetError` for files that cannot be used or do not fit the model, and `DiffusionError`
  ///   naming `operator`, `mask` or `noise`.
  init(_ request: MeasuredRequest, for model: TrainedModel, seed: UInt64) throws {
    let imageShape = model.imageShape
    let forward = try Self.forward(request, model)
    let mask = try Self.mask(request, model)
    let all = Array(0..<imageShape[2])
    let measured = forward.map(Self.channels) ?? all
    let channels = request.isSimulated ? all : measured
    let shape = request.isSimulated ? imageShape : forward?.measurementShape ?? imageShape
    if let fields = model.fields {
      guard !measured.isEmpty else {
        throw DiffusionError(
          key: "operator", problem: "grey averages channels, but those of fields are variables; use channels=NAMES")
      }
      let masks = mask == nil ? (request.mask ?? "").split(separator: ",").map(String.init) : []
      file = try MeasuredFields(
        request.path, gridShape: Array(shape.prefix(2)), of: Array(imageShape.prefix(2)),
        channels.map { fields.variables[$0] }, among: fields.variables.map(\.name),
        normalisation: fields.normalisation, masks: masks, marksMissing: forward == nil && mask == nil)
    } else {
      // Where all channels are measured, grey pictures and coloured ones may stand for each other.
      var fitting = model.configuration.data.fitting
      fitting.channels = channels == all ? imageShape[2] : nil
      file = try MeasuredPictures(
        request.path, shape: shape, choosing: channels, of: imageShape, fitting: fitting)
    }
    count = file.count
    noise = try Self.noise(request.noise, measured, scales: model.noiseScales)
    self.request = request
    self.imageShape = imageShape
    self.forward = forward
    self.mask = mask
    self.seed = seed
  }

  /// nil for masks.
  private static func forward(
    _ request: MeasuredRequest, _ model: TrainedModel
  ) throws(DiffusionError) -> (any MeasurementOperator)? {
    if request.forward?.name == .mask { return nil }
    guard request.mask == nil else { throw DiffusionError(key: "mask", problem: "it is for operator mask") }
    guard let settings = request.forward else { return try ChannelsOperator(allOf: model.imageShape) }
    return try settings.makeOperator(model.operatorContext)
  }

  /// By pixel; nil if there is none, or the file of fields has it.
  private static func mask(_ request: MeasuredRequest, _ model: TrainedModel) throws -> [Bool]? {
    guard request.forward?.name == .mask else { return nil }
    let shape = model.imageShape
    let mask = try request.mask.flatMap { try maskPicture($0, height: shape[0], width: shape[1]) }
    if mask != nil { return mask }
    if model.fields != nil {
      // What has another name may be a variable.
      guard let path = request.mask, ImageFolder.hasNameOfImage(path) else { return nil }
      throw DiffusionError(key: "mask", problem: "\(path): there is no such file")
    }
    throw DiffusionError(
      key: "mask",
      problem: request.mask.map { "\($0): there is no such file" } ?? "operator mask needs one; give FILE.png")
  }

  /// The channels of images that an operator measures, in order; empty if it combines channels.
  private static func channels(_ forward: any MeasurementOperator) -> [Int] {
    forward.channelsOfElements.map { Array($0.prefix(forward.measurementShape[2])) } ?? []
  }

  /// For each channel of images the noise on its normalised values.
  private static func noise(
    _ noise: [Double], _ measured: [Int], scales: [Double]
  ) throws(DiffusionError) -> [Double] {
    let count = max(measured.count, 1)
    guard noise.count == 1 || noise.count == count else {
      throw DiffusionError(
        key: "noise",
        problem: "there are \(noise.count) numbers, but \(count) measured "
          + "channel\(count == 1 ? "" : "s"); give one number, or one for each")
    }
    var result = scales.map { noise[0] / $0 }
    if noise.count > 1 {
      for (number, channel) in measured.enumerated() { result[channel] = noise[number] / scales[channel] }
    }
    return result
  }

  /// Consecutive measurements, in groups.
  /// - Throws: `InputError` for missing values, `DatasetError` if the file cannot be read, and `DiffusionError` for a mask
  ///   without known elements.
  func measurements(_ numbers: Range<Int>) throws -> [Group] {
    let samples = try file.read(numbers)
    if let forward { return [try group(numbers, samples.values, forward)] }
    let masks = mask.map { mask in numbers.map { _ in mask } } ?? samples.known ?? []
    var groups: [Group] = []
    var start = 0
    for row in 1...numbers.count where row == numbers.count || masks[row] != masks[start] {
      let forward = try MaskOperator(isKnown: masks[start], imageShape: imageShape)
      groups.append(
        try group(
          (start..<row).moved(by: numbers.lowerBound), samples.values.images(Array(start..<row)), forward))
      start = row
    }
    return groups
  }

  private func group(
    _ numbers: Range<Int>, _ values: DoubleTensor, _ forward: any MeasurementOperator
  ) throws -> Group {
    // What is not known may be missing.
    var y = request.isSimulated || self.forward == nil ? forward.apply(values) : values
    for (row, number) in numbers.enumerated() {
      let missing = y.range(ofImage: row).count { !y.elements[$0].isFinite }
      guard missing == 0 else {
        throw InputError(
          "--measured \(request.path): \(missing) measured values of sample \(number) are missing or infinite; use operator "
            + "mask, and mark them as unknown")
      }
    }
    let channels = forward.channelsOfElements ?? [Int](repeating: 0, count: y.imageSize)
    let noise = channels.map { self.noise[$0] }
    if request.isSimulated {
      let normal = normalNoise(
        shape: y.shape, seed: seed, purpose: .measurementNoise, firstImage: numbers.lowerBound)
      for index in y.elements.indices { y.elements[index] += noise[index % noise.count] * Double(normal[index]) }
    }
    return Group(numbers: numbers, measurement: try Measurement(y, of: forward, noise: noise))
  }
}

extension TrainedModel {
  /// What measurement operators need to know of the model's images.
  var operatorContext: OperatorSettings.Context {
    var context = configuration.operatorContext(imageShape: imageShape)
    context.channelNames =
      fields?.variables.map(\.name) ?? (imageShape[2] == 3 ? ["red", "green", "blue"] : [])
    return context
  }

  /// For each channel, what the noise on its values is divided by.
  fileprivate var noiseScales: [Double] {
    guard let fields else { return [Double](repeating: 1, count: imageShape[2]) }
    return fields.variables.map { fields.normalisation.scaling(of: $0).scale }
  }
}
