import Files
import Foundation
import Interchange

/// What diffusers has stored in a folder: a pipeline, or a U-Net alone.
struct PipelineFolder {
  let path: String
  let network: ComponentFile
  let weights: WeightFiles
  /// nil if there is none.
  let scheduler: ComponentFile?

  /// - Throws: `InterchangeError` if there is something else.
  init(_ path: String) throws(InterchangeError) {
    self.path = withoutTrailingSlashes(path)
    let index = "\(self.path)/\(PipelineExport.Path.pipeline)"
    let isPipeline = Self.exists(index)
    if isPipeline { try Self.check(ComponentFile(readingFrom: index)) }
    // Old pipelines keep everything in one folder.
    let networkFolder = Self.exists("\(self.path)/unet/config.json") ? "\(self.path)/unet" : self.path
    guard Self.exists("\(networkFolder)/config.json") else {
      throw InterchangeError(
        self.path, "has neither model_index.json with unet/config.json nor config.json",
        advice: "name a folder that diffusers' `save_pretrained` has written")
    }
    network = try ComponentFile(readingFrom: "\(networkFolder)/config.json")
    weights = try WeightFiles(in: networkFolder)
    let scheduler = ["\(self.path)/\(PipelineExport.Path.scheduler)", "\(self.path)/scheduler_config.json"]
      .first(where: Self.exists)
    if let scheduler {
      self.scheduler = try ComponentFile(readingFrom: scheduler)
    } else if isPipeline {
      throw InterchangeError(
        "\(self.path)/\(PipelineExport.Path.scheduler)", "there is no such file, but the pipeline has a scheduler",
        advice: "fetch it, or name the folder of the U-Net")
    } else {
      self.scheduler = nil
    }
  }

  private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

  /// A pipeline of more than a network and its scheduler draws something else than images, or not by itself.
  private static func check(_ index: ComponentFile) throws(InterchangeError) {
    for (key, value) in index.values.sorted(by: { $0.key < $1.key }) where !key.hasPrefix("_") {
      guard let parts = value.list, !["unet", "scheduler"].contains(key) else { continue }
      guard parts.allSatisfy({ $0 == .null }) else {
        throw index.refusal(
          key, "is \(value): the pipeline is more than a U-Net and its scheduler",
          advice: "name the folder of its U-Net if that is to be imported alone")
      }
    }
  }
}
