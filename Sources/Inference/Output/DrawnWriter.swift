import Failures
import HDF5
import MessagePassing
import Tensors

/// Images or fields that passed through the network together.
struct ImageBatch {
  let numbers: Range<Int>
  /// As the network takes them, [numbers.count, H, W, C].
  let images: Tensor
  /// x_T, of the same shape.
  let latents: Tensor
  let labels: [Int?]
  /// The given channels, [numbers.count, H, W, k]; nil if there are none.
  var given: Tensor? = nil
}

/// Writes images or fields batch by batch as they are computed, so that there may be any number of them. Each output
/// appears completely or not at all.
protocol DrawnWriter: AnyObject {
  /// Writes a batch of this rank, in order. Ranks write independently of each other.
  /// - Throws: `SharedFileError`, `ImageError`, `FileError`.
  func write(_ batch: ImageBatch) throws

  /// Writes pictures of the sampling process of this rank's images, one of each per call, in order. The last pictures
  /// are the images themselves.
  /// - Throws: `ImageError`, `FileError`.
  func writeTrajectory(_ images: Tensor, _ numbers: Range<Int>, picture: Int) throws

  /// Publishes the outputs. Collective, after all ranks have written their images.
  /// - Parameter describe: writes the file's attributes; called on rank 0.
  func publish(describe: (borrowing HDF5File) throws -> Void) throws

  /// Removes the outputs, after an error that all ranks know of. Collective.
  func abandon()
}

extension DrawnWriter {
  /// Calls `body` to write all images, and publishes the outputs. Collective.
  /// - Parameters:
  ///   - body: writes this rank's images; its errors are known to all ranks.
  ///   - describe: writes the file's attributes, given the result of `body`; called on rank 0.
  func write<Result>(
    _ body: () throws -> Result, describe: (borrowing HDF5File, Result) throws -> Void
  ) throws -> Result {
    let result: Result
    do { result = try body() } catch {
      // An orderly cleanup is possible if all ranks are here.
      if (error as? any JobEndingError)?.isKnownToAllRanks == true { abandon() }
      throw error
    }
    try publish { file in try describe(file, result) }
    return result
  }
}

extension ImageOutputs {
  /// The writer of what a model draws: of images, or of fields in physical units. Collective.
  /// - Parameters:
  ///   - contents: the contents of the file besides images; fields have no others.
  ///   - frameCount: the number of pictures of the sampling process of each image; nil for the final image only.
  /// - Throws: `JobFailure` on all ranks.
  func writer(
    for model: TrainedModel, _ drawn: DrawnSet, contents: ImageWriter.Contents = [], frameCount: Int? = nil,
    communicator: Communicator
  ) throws -> any DrawnWriter {
    guard let fields = model.fields else {
      return try ImageWriter(
        self, drawn, imageShape: model.imageShape, contents: contents, frameCount: frameCount,
        communicator: communicator)
    }
    return try DrawnFieldWriter(
      self, drawn, fields, shape: model.imageShape, frameCount: frameCount, communicator: communicator)
  }
}
