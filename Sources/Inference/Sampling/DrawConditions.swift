import Configuration
import Diffusion
import Tensors

/// What images are drawn for, classes and given channels, and the strength of guidance.
package struct DrawConditions: Sendable {
  /// The classes of images in turn, nil for the network's null class; nil if nothing is conditioned on classes. All
  /// members of a condition have the same class.
  package let classes: [Int?]?
  /// The given channels of images in turn; nil if the network takes none.
  package let given: GivenFields?
  /// The number of images for each condition; 1 without given channels.
  package let members: Int
  /// See `SamplerSettings.guidance`.
  package let guidance: Double
  package let classifier: (any NoisyClassifier & Sendable)?
  /// Whether the network itself is conditioned on the classes.
  private let networkHasClasses: Bool
  private let isOfFields: Bool
  // What training hid at times, and guidance extrapolates from.
  private let hidesClasses: Bool
  private let hidesFields: Bool

  /// - Parameters:
  ///   - wanted: the classes of images in turn; by default all, if the network has any.
  ///   - given: the given channels, which a network that takes some needs.
  ///   - members: the number of images for each condition, up to `DrawNumber.memberLimit`.
  ///   - isOfFields: whether the network draws fields, which have no classes.
  ///   - configuration: the network's training configuration, and the guidance.
  ///   - classifier: a classifier trained on the same process, and its number of classes.
  /// - Throws: `DiffusionError` for settings that are not possible, saying which are.
  package init(
    classes wanted: [Int?]? = nil, given: GivenFields? = nil, members: Int = 1, isOfFields: Bool = false,
    configuration: RunConfiguration, classifier: (any NoisyClassifier & Sendable, classCount: Int)? = nil
  ) throws(DiffusionError) {
    precondition(
      (1...DrawNumber.memberLimit).contains(members), "an ensemble has 1 to \(DrawNumber.memberLimit) members")
    self.classifier = classifier?.0
    self.given = given
    self.members = members
    self.isOfFields = isOfFields
    networkHasClasses = configuration.model.classes != nil
    hidesClasses = networkHasClasses && configuration.training.labelDropout > 0
    hidesFields = given != nil && configuration.training.conditionDropout > 0
    guidance = configuration.sampling.guidance
    if let count = configuration.model.classes ?? classifier?.classCount {
      let classes = wanted ?? Array(0..<count)
      for case let number? in classes where !(0..<count).contains(number) {
        throw DiffusionError(key: "class", problem: "there is no class \(number); the classes are 0 to \(count - 1)")
      }
      self.classes = classes
    } else if wanted == nil {
      classes = nil
    } else {
      throw DiffusionError(
        key: "class", problem: isOfFields ? "the model draws fields, which have no classes" : Self.howToHaveClasses)
    }
    try checkGiven(configuration)
    if let classifier {
      try check(classifierOf: classifier.classCount, configuration)
    } else {
      try checkHidden()
    }
  }

  private static let howToHaveClasses =
    "the model was trained without classes; train one with model.classes, or use --classifier"

  private func checkGiven(_ configuration: RunConfiguration) throws(DiffusionError) {
    let names = configuration.data.conditions
    precondition(given == nil || !names.isEmpty, "the network takes no channels")
    if given == nil && !names.isEmpty {
      throw DiffusionError(
        key: "condition",
        problem:
          "the model draws samples that fit given channels (\(names.joined(separator: ", "))); give a file of them")
    }
    // Of each member's numbers, a sampler has this many.
    let limit = DrawNumber.detailsPerMember - 1
    if members > 1 && configuration.sampling.corrections > limit {
      throw DiffusionError(
        key: "corrections",
        problem: "\(configuration.sampling.corrections) are too many for several members; give at most \(limit)")
    }
  }

  private func check(classifierOf count: Int, _ configuration: RunConfiguration) throws(DiffusionError) {
    if configuration.diffusion.zeroTerminalSNR {
      throw DiffusionError(
        key: "classifier",
        problem: "the model has diffusion.zero_terminal_snr, so images start without any signal that a "
          + "classifier could change; use a model that has classes of its own")
    }
    if let ofModel = configuration.model.classes, ofModel != count {
      throw DiffusionError(key: "classifier", problem: "it has \(count) classes, but the model has \(ofModel)")
    }
    if classes?.contains(nil) == true {
      throw DiffusionError(key: "class", problem: "a classifier cannot guide towards no class")
    }
  }

  /// Without a classifier, guidance extrapolates from what was hidden in training.
  private func checkHidden() throws(DiffusionError) {
    let remedy = "the model was always conditioned on the class; train one with training.label_dropout above 0"
    if guidance != 0 && !hidesClasses && !hidesFields {
      throw DiffusionError(
        key: "guidance",
        problem: networkHasClasses
          ? remedy + ", or use --classifier"
          : given != nil
            ? "the model was always given its conditions; train one with training.condition_dropout above 0"
            : isOfFields
              ? "the model was trained without conditions, towards which guidance could lead; train one with "
                + "data.conditions and training.condition_dropout above 0"
              : Self.howToHaveClasses)
    }
    if classes?.contains(nil) == true && !hidesClasses {
      throw DiffusionError(key: "class", problem: "none: " + remedy)
    }
  }

  /// The condition of the image with index `image`, or the image itself without conditions, and which member it is.
  package func draw(_ image: Int) -> DrawNumber { DrawNumber(image: image / members, member: image % members) }

  /// The class of the image with index `image`.
  package func classOf(image: Int) -> Int? { classes.flatMap { $0[draw(image).image % $0.count] } }

  /// The given channels of images, [images.count, H, W, k]; nil if the network takes none.
  /// - Throws: `DatasetError`, `InputError` if they cannot be read.
  package func given(for images: Range<Int>) throws -> Tensor? { try given?.rows(images.map { draw($0).image }) }

  /// The guidance for the images of a batch.
  /// - Parameters:
  ///   - images: their indices.
  ///   - given: their given channels.
  func guidance(for images: Range<Int>, given: Tensor?) -> Guidance {
    let classes = images.map(classOf)
    let conditions = Conditions(classes: networkHasClasses ? classes : nil, fields: given)
    if let classifier {
      return .classifier(
        classifier, classes: classes.map { $0! }, scale: networkHasClasses ? guidance : 1 + guidance,
        modelConditions: conditions)
    }
    if guidance == 0 { return .conditional(conditions) }
    let hidden = conditions.hidden(classes: hidesClasses, fields: hidesFields)
    return .classifierFree(conditions, from: hidden, scale: guidance)
  }
}
