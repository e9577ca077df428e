import Configuration
import Diffusion

/// What classes images are drawn of, and how strongly they are led there.
public struct ClassConditions: Sendable {
  /// The classes of images in turn, nil for the network's class for none; nil altogether where nobody is told classes.
  public let classes: [Int?]?
  /// See `SamplerSettings.guidance`.
  public let guidance: Double
  public let classifier: (any NoisyClassifier & Sendable)?
  /// Whether the network itself is told the classes.
  private let networkHasClasses: Bool

  /// - Parameters:
  ///   - classes: of images in turn; by default all, if the network has any.
  ///   - configuration: what the network was trained with, and the guidance.
  ///   - classifier: one that was trained on the same process, and its number of classes.
  /// - Throws: `DiffusionError` for what cannot work, with what would.
  public init(
    classes wanted: [Int?]? = nil, configuration: RunConfiguration,
    classifier: (any NoisyClassifier & Sendable, classCount: Int)? = nil
  ) throws(DiffusionError) {
    self.classifier = classifier?.0
    networkHasClasses = configuration.model.classes != nil
    guidance = configuration.sampling.guidance
    guard let count = configuration.model.classes ?? classifier?.classCount else {
      if wanted != nil || guidance != 0 {
        throw DiffusionError(
          key: wanted != nil ? "class" : "guidance",
          problem: "the model was trained without classes; train one with model.classes, or give a --classifier")
      }
      classes = nil
      return
    }
    let classes = wanted ?? Array(0..<count)
    for case let number? in classes where !(0..<count).contains(number) {
      throw DiffusionError(key: "class", problem: "there is no class \(number); they are 0 to \(count - 1)")
    }
    self.classes = classes
    try check(configuration, classifierClassCount: classifier?.classCount)
  }

  private func check(_ configuration: RunConfiguration, classifierClassCount: Int?) throws(DiffusionError) {
    if let classifierClassCount {
      if configuration.diffusion.zeroTerminalSNR {
        throw DiffusionError(
          key: "classifier",
          problem: "the model has diffusion.zero_terminal_snr, with which images begin without any signal that a "
            + "classifier could change; guide a model that has classes of its own")
      }
      if let count = configuration.model.classes, count != classifierClassCount {
        throw DiffusionError(
          key: "classifier", problem: "it knows \(classifierClassCount) classes, but the model \(count)")
      }
      if classes?.contains(nil) == true {
        throw DiffusionError(key: "class", problem: "none is no class that a classifier could lead to")
      }
      return
    }
    guard configuration.training.labelDropout == 0 else { return }
    let remedy = "the model has always been told the class; train one with training.label_dropout above 0"
    if guidance != 0 {
      throw DiffusionError(key: "guidance", problem: remedy + ", or give a --classifier")
    }
    if classes?.contains(nil) == true { throw DiffusionError(key: "class", problem: "none: " + remedy) }
  }

  /// The class of image number `image`.
  public func classOf(image: Int) -> Int? { classes.flatMap { $0[image % $0.count] } }

  /// For the images of a batch, by their numbers.
  func guidance(for images: Range<Int>) -> Guidance {
    let classes = images.map(classOf)
    if let classifier {
      return .classifier(
        classifier, classes: classes.map { $0! }, scale: networkHasClasses ? guidance : 1 + guidance,
        modelClasses: networkHasClasses ? classes : nil)
    }
    guard networkHasClasses else { return .none }
    return guidance == 0 ? .conditional(classes) : .classifierFree(classes, scale: guidance)
  }
}
