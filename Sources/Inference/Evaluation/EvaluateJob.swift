import Configuration
import Datasets
import Diffusion
import FeatureNetworks
import Files
import MessagePassing
import Reporting

/// Draws images or fields from a checkpoint and compares them with its data set; the work is shared among all ranks.
package struct EvaluateJob: Sendable {
  package var model: ModelRequest
  /// The number of images or fields to draw; with conditions, the number of conditions to draw for.
  package var count: Int
  /// Names of `Measure` or of `FieldMeasure`; by default all that fit the model and the reference.
  package var measures: [String] = []
  /// The number of fields to draw for each condition; by default that of the training.
  package var members: Int?
  /// The name or path for `FeatureNetworks.load`.
  package var features = EmbeddedClassifier.name
  package var inceptionWeights: String?
  package var seed: UInt64 = 0
  /// The classes of the images in turn; by default all classes, if there are any.
  package var classes: [Int?]?
  /// The split to compare with, and to take conditions from; by default the test images for a model with conditions,
  /// otherwise the training images.
  package var split: DatasetSplit?
  /// The location of the data set; by default that of the training.
  package var dataPath: String?
  /// The background of transparent pixels of image files; by default that of the training.
  package var background: FolderImages.Background?
  /// The number of samples of the split to compare with, from its start; by default all, or for fields with conditions
  /// those whose conditions are used.
  package var referenceCount: Int?
  /// A file of statistics to compare with instead.
  package var referenceFile: String?
  /// The cache for data computed from the reference; nil for none.
  package var referenceCache: ReferenceCache?
  package var printsJSON = false

  package init(_ model: ModelRequest, count: Int) {
    self.model = model
    self.count = count
  }

  /// Computes and prints the measures. Collective.
  package func run(communicator: Communicator) throws {
    let reporter = RunReporter(isSpeaking: communicator.rank == 0 && !printsJSON)
    defer { reporter.finish() }
    let model = try TrainedModel(model, communicator: communicator, reporter: reporter)
    let result: any EvaluationReport =
      if let fields = model.fields {
        try evaluateFields(fields, model, communicator, reporter)
      } else {
        try evaluateImages(model, communicator, reporter)
      }
    reporter.clear()
    guard communicator.rank == 0 else { return }
    StandardOutput.print(printsJSON ? try jsonLine(result) : result.text)
  }

  /// The split to compare with, and to take conditions from.
  func referenceSplit(for model: TrainedModel) -> DatasetSplit {
    split ?? (model.conditionChannels > 0 ? .test : .training)
  }

  /// What the drawn samples of a model are conditioned on: their classes and the given channels of the data set's first
  /// samples, as far as the model has them.
  /// - Throws: `DiffusionError` for settings that are not possible.
  func conditions(_ model: TrainedModel, from dataset: any Dataset, members: Int = 1) throws(DiffusionError)
    -> DrawConditions
  {
    try DrawConditions(
      classes: classes, given: model.conditionChannels > 0 ? GivenFields(dataset) : nil, members: members,
      isOfFields: model.fields != nil, configuration: model.configuration)
  }
}
