/// One line of metrics.jsonl.
public struct MetricsRecord: Sendable, Equatable {
  /// Optimiser steps done.
  public var step: Int
  /// Images seen since the start of the run.
  public var images: Int
  public var loss: Double
  /// Euclidean norm before clipping.
  public var gradientNorm: Double
  public var learningRate: Double
  public var imagesPerSecond: Double
  /// Seconds since training started in this process.
  public var seconds: Double

  public init(
    step: Int, images: Int, loss: Double, gradientNorm: Double, learningRate: Double, imagesPerSecond: Double,
    seconds: Double
  ) {
    self.step = step
    self.images = images
    self.loss = loss
    self.gradientNorm = gradientNorm
    self.learningRate = learningRate
    self.imagesPerSecond = imagesPerSecond
    self.seconds = seconds
  }

  /// Every number except the step, with its name in the file.
  public var scalars: [(name: String, value: Double)] { [("images", Double(images))] + measurements }

  private var measurements: [(name: String, value: Double)] {
    [
      ("loss", loss), ("gradient_norm", gradientNorm), ("learning_rate", learningRate),
      ("images_per_second", imagesPerSecond), ("seconds", seconds),
    ]
  }

  /// The record as a JSON object on one line. Numbers parse back to the same bits; JSON has no infinity or NaN, so
  /// these become `null`.
  public var json: String {
    let fields = ["\"step\": \(step)", "\"images\": \(images)"]
    let numberFields = measurements.map { name, value in "\"\(name)\": \(value.isFinite ? "\(value)" : "null")" }
    return "{" + (fields + numberFields).joined(separator: ", ") + "}"
  }
}
