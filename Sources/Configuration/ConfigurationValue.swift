import Datasets
import Diffusion
import Images
import Kernels
import Network
import Optimisation

/// A type of a configuration key.
protocol ConfigurationValue: Equatable, Sendable {
  /// The expected type, after "expected": `a whole number`.
  static var expected: String { get }

  /// The value of a YAML node; nil if it is not of this type.
  init?(node: YAMLNode)

  /// The value in YAML; parses back to the same value.
  var node: YAMLNode { get }
}

extension ConfigurationValue where Self: LosslessStringConvertible {
  init?(node: YAMLNode) {
    guard let text = node.plainText else { return nil }
    self.init(text)
  }

  var node: YAMLNode { YAMLNode(plain: description) }
}

extension Int: ConfigurationValue {
  static let expected = "a whole number"
}

extension UInt64: ConfigurationValue {
  static let expected = "a whole number from 0 to 18446744073709551615"
}

extension Double: ConfigurationValue {
  static let expected = "a number"

  init?(node: YAMLNode) {
    guard let text = node.plainText, let value = Double(text), value.isFinite else { return nil }
    self = value
  }

  /// The shortest decimal that parses back to the same number, with the point that YAML 1.1 readers need before an
  /// exponent (`1.0e-05`).
  var node: YAMLNode {
    guard let exponent = description.firstIndex(of: "e"), !description.contains(".") else {
      return YAMLNode(plain: description)
    }
    return YAMLNode(plain: description[..<exponent] + ".0" + description[exponent...])
  }
}

extension Bool: ConfigurationValue {
  static let expected = "true or false"
}

extension String: ConfigurationValue {
  static let expected = "text"

  init?(node: YAMLNode) {
    guard let text = node.scalar, !node.isNull else { return nil }
    self = text
  }

  /// Quoted if YAML could take it for something other than text.
  var node: YAMLNode {
    let isPlain =
      first.map { $0.isLetter || $0 == "/" } ?? false
      && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-".contains($0)) }
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "none", "default"]
    return YAMLNode(.scalar(self, isPlain: isPlain && !words.contains(lowercased())))
  }
}

extension Array: ConfigurationValue where Element: ConfigurationValue {
  static var expected: String {
    if Element.self == String.self { return "a list of names, like [u, v]" }
    return Element.self == Int.self
      ? "a list of whole numbers, like [1, 2, 2]" : "a list of numbers, like [0.999, 0.9999]"
  }

  init?(node: YAMLNode) {
    guard let list = node.list else { return nil }
    self = list.compactMap(Element.init(node:))
    if count < list.count { return nil }
  }

  var node: YAMLNode { YAMLNode(.list(map(\.node))) }
}

/// A choice among named cases.
protocol NamedChoice: ConfigurationValue, RawRepresentable, CaseIterable where RawValue == String {}

extension NamedChoice {
  static var expected: String {
    allCases.map(\.rawValue).listed(with: "or")
  }

  init?(node: YAMLNode) {
    guard let text = node.scalar else { return nil }
    self.init(rawValue: text)
  }

  var node: YAMLNode { YAMLNode(plain: rawValue) }
}

extension RunConfiguration.DiffusionSettings.Schedule: NamedChoice {}
extension RunConfiguration.DiffusionSettings.TimeSampling: NamedChoice {}
extension ReverseVariance: NamedChoice {}
extension SamplerName: NamedChoice {}
extension StepSpacing: NamedChoice {}
extension RunConfiguration.DiffusionSettings.Process: NamedChoice {}
extension Prediction: NamedChoice {}
extension TrainingObjective.Loss: NamedChoice {}
extension RunConfiguration.TrainingSettings.Recomputation: NamedChoice {}
extension RunConfiguration.TrainingSettings.WireFormat: NamedChoice {}
extension ConvolutionMethod: NamedChoice {}
extension Precision: NamedChoice {}
extension Periodicity: NamedChoice {}
extension DatasetSplit: NamedChoice {}
extension FieldNormalisation: NamedChoice {}
extension FolderImages.Background: NamedChoice {}
extension ImageReader.Turning: NamedChoice {}
extension UNetArchitecture.LevelChangeKind: NamedChoice {}
extension UNetArchitecture.TimeFeatures: NamedChoice {}
extension UNetArchitecture.TimeConditioning: NamedChoice {}
extension UNetArchitecture.ImageInput: NamedChoice {}
extension UNetArchitecture.ImageOutput: NamedChoice {}
extension UNetArchitecture.Combination: NamedChoice {}
extension UNetArchitecture.UpwardAttention: NamedChoice {}
extension LearningRateSchedule.Decay: NamedChoice {}

extension [String] {
  /// `a`, `a or b`, `a, b or c`.
  func listed(with conjunction: String) -> String {
    dropLast().joined(separator: ", ") + (count > 1 ? " \(conjunction) " : "") + (last ?? "")
  }
}
