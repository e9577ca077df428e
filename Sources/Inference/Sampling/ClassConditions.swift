import Configuration
import Diffusion

/// The classes of images to draw, and the strength of guidance.
package struct ClassConditions: Sendable {
  /// The classes of images in turn, nil for the network's null class; nil if nothing is conditioned on classes.
  package let classes: [Int?]?
  /// See `SamplerSettings.guidance`.
  package let guidance: Double
  package let classifier: (any NoisyClassifier & Sendable)?
  /// Whether the network itself is conditioned on the classes.
  private let networkHasClasses: Bool

  /// - Parameters:
  ///   - wanted: the classes of images in turn; by default all, if the network has any.
  ///   - configuration: the network's training configuration, and the guidance.
  ///   - classifier: a classifier trained on the same process, and its number of classes.
  /// - Throws: `DiffusionError` for settings that are not possible, saying which are.
  package init(
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
          problem: "the model was trained without classes; train one with model.classes, or use --classifier")
      }
      classes = nil
      return
    }
    let classes = wanted ?? Array(0..<count)
    for case let number? in classes where !(0..<count).contains(number) {
      throw DiffusionError(key: "class", problem: "there is no class \(number); the classes are 0 to \(count - 1)")
    }
    self.classes = classes
    try check(configuration, classifierClassCount: classifier?.classCount)
  }

  private func check(_ configuration: RunConfiguration, classifierClassCount: Int?) throws(DiffusionError) {
    if let classifierClassCount {
      if configuration.diffusion.zeroTerminalSNR {
        throw DiffusionError(
          key: "classifier",
          problem: "the model has diffusion.zero_terminal_snr, so images start without any signal that a "
            + "classifier could change; use a model that has classes of its own")
      }
      if let count = configuration.model.classes, count != classifierClassCount {
        throw DiffusionError(
          key: "classifier", problem: "it has \(classifierClassCount) classes, but the model has \(count)")
      }
      if classes?.contains(nil) == true {
        throw DiffusionError(key: "class", problem: "a classifier cannot guide towards no class")
      }
      return
    }
    guard configuration.training.labelDropout == 0 else { return }
    let remedy = "the model was always conditioned on the class; train one with training.label_dropout above 0"
    if guidance != 0 {
      throw DiffusionError(key: "guidance", problem: remedy + ", or use --classifier")
    }
    if classes?.contains(nil) == true { throw DiffusionError(key: "class", problem: "none: " + remedy) }
  }

  /// The class of the image with index `image`.
  package func classOf(image: Int) -> Int? { classes.flatMap { $0[image % $0.count] } }

  /// The guidance for the images of a batch, by their indices.
  func guidance(for images: Range<Int>) -> Guidance {
    let classes = images.map(classOf)
    let conditions = Conditions(classes: networkHasClasses ? classes : nil)
    if let classifier {
      return .classifier(
        classifier, classes: classes.map { $0! }, scale: networkHasClasses ? guidance : 1 + guidance,
        modelConditions: conditions)
    }
    guard networkHasClasses && guidance != 0 else { return .conditional(conditions) }
    return .classifierFree(conditions, from: conditions.hidden(classes: true, fields: false), scale: guidance)
  }
}
