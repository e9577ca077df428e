import Files
import Interchange

/// A folder written by diffusers: a pipeline, or a U-Net alone.
struct PipelineFolder {
  let path: String
  let network: ComponentFile
  let weights: WeightFiles
  /// nil if there is none.
  let scheduler: ComponentFile?

  /// - Throws: `InterchangeError` if the folder contains something else.
  init(_ path: String) throws(InterchangeError) {
    self.path = withoutTrailingSlashes(path)
    let index = "\(self.path)/\(PipelineExport.Path.pipeline)"
    let isPipeline = fileExists(index)
    if isPipeline { try Self.check(ComponentFile(readingFrom: index)) }
    // Old pipelines keep all files in one folder.
    let networkFolder = fileExists("\(self.path)/unet/config.json") ? "\(self.path)/unet" : self.path
    guard fileExists("\(networkFolder)/config.json") else {
      throw InterchangeError(
        self.path, "has neither model_index.json with unet/config.json nor config.json",
        advice: "give a folder written by diffusers' `save_pretrained`")
    }
    network = try ComponentFile(readingFrom: "\(networkFolder)/config.json")
    weights = try WeightFiles(in: networkFolder)
    let scheduler = ["\(self.path)/\(PipelineExport.Path.scheduler)", "\(self.path)/scheduler_config.json"]
      .first(where: fileExists)
    guard scheduler != nil || !isPipeline else {
      throw InterchangeError(
        "\(self.path)/\(PipelineExport.Path.scheduler)", "there is no such file, but the pipeline has a scheduler",
        advice: "fetch it, or give the folder of the U-Net")
    }
    self.scheduler = try scheduler.map { (path) throws(InterchangeError) in try ComponentFile(readingFrom: path) }
  }

  /// Rejects pipelines with more components than a network and its scheduler: they do not draw images, or need other
  /// inputs.
  private static func check(_ index: ComponentFile) throws(InterchangeError) {
    for (key, value) in index.values.sorted(by: { $0.key < $1.key }) where !key.hasPrefix("_") {
      guard let parts = value.list, !["unet", "scheduler"].contains(key) else { continue }
      guard parts.allSatisfy({ $0 == .null }) else {
        throw index.refusal(
          key, "is \(value): the pipeline is more than a U-Net and its scheduler",
          advice: "to import only its U-Net, give that one's folder")
      }
    }
  }
}
