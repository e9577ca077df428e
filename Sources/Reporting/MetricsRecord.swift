/// One line of metrics.jsonl.
package struct MetricsRecord: Sendable, Equatable {
  /// Optimiser steps done.
  package var step: Int
  /// Images seen since the start of the run.
  package var images: Int
  package var loss: Double
  /// Euclidean norm before clipping.
  package var gradientNorm: Double
  package var learningRate: Double
  package var imagesPerSecond: Double
  /// Seconds since training started in this process.
  package var seconds: Double

  package init(
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
  package var scalars: [(name: String, value: Double)] { [("images", Double(images))] + measurements }

  private var measurements: [(name: String, value: Double)] {
    [
      ("loss", loss), ("gradient_norm", gradientNorm), ("learning_rate", learningRate),
      ("images_per_second", imagesPerSecond), ("seconds", seconds),
    ]
  }

  /// The record as a JSON object on one line. Numbers parse back to the same bits; JSON has no infinity or NaN, so
  /// these become `null`.
  package var json: String {
    let fields = ["\"step\": \(step)", "\"images\": \(images)"]
    let numberFields = measurements.map { name, value in "\"\(name)\": \(value.isFinite ? "\(value)" : "null")" }
    return "{" + (fields + numberFields).joined(separator: ", ") + "}"
  }
}
