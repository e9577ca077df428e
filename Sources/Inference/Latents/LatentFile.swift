import Failures
import Files
import ForeignFiles
import FoundationEssentials
import HDF5
import Tensors

/// The questions about files of latents that a child process answers.
package let latentFileQuestions: [any ForeignQuestion.Type] = [
  LatentsQuestion.self, ElementsQuestion<Float>.self, ElementsQuestion<Int64>.self,
]

/// An HDF5 file with a dataset `latents` to start from, float32 [count, H, W, C], optionally with `labels`, int64 [count].
/// A child process reads it, since a damaged file could crash libhdf5 or make it run forever.
final class LatentFile {
  let count: Int
  /// Whether each image has a class.
  let hasLabels: Bool
  private let path: String
  private let imageShape: [Int]
  private let reader: ForeignReader

  /// - Parameters:
  ///   - path: the file given with `--latents`, which messages name.
  ///   - imageShape: [H, W, C].
  /// - Throws: `InputError`, also for latents of another type or shape.
  init(_ path: String, imageShape: [Int]) throws {
    (self.path, self.imageShape) = (path, imageShape)
    let answer: LatentsQuestion.Answer
    (reader, answer) = try Self.namingOption(path) {
      let reader = try ForeignReader()
      return (reader, try reader.ask(LatentsQuestion(path: path, imageShape: imageShape)))
    }
    (count, hasLabels) = (answer.count, answer.hasLabels)
  }

  /// A range of the latents, [range.count, H, W, C].
  /// - Throws: `InputError`, also for values that are not finite.
  func read(_ range: Range<Int>) throws -> Tensor {
    let size = imageShape.reduce(1, *)
    var elements: [Float] = []
    elements.reserveCapacity(range.count * size)
    for index in range {
      let image: [Float] = try self.elements(index * size..<(index + 1) * size, of: "latents")
      guard image.allSatisfy(\.isFinite) else {
        throw InputError("--latents \(path): `latents`[\(index)] has values that are not finite")
      }
      elements += image
    }
    return Tensor(elements, shape: [range.count] + imageShape)
  }

  /// The classes of a range of images; negative numbers stand for no class.
  func readLabels(_ range: Range<Int>) throws -> [Int?] {
    let labels: [Int64] = try elements(range, of: "labels")
    return labels.map { $0 < 0 ? nil : Int($0) }
  }

  private func elements<Element: HDF5Element>(_ range: Range<Int>, of dataset: String) throws -> [Element] {
    let question = ElementsQuestion<Element>(path: path, dataset: dataset, range: range)
    let bytes = try Self.namingOption(path) { try reader.ask(question).bytes }
    return [Element](unsafeUninitializedCapacity: range.count) { target, count in
      count = bytes.copyBytes(to: target) / MemoryLayout<Element>.stride
    }
  }

  private static func namingOption<Answer>(_ path: String, _ ask: () throws -> Answer) throws -> Answer {
    do { return try ask() } catch let error as ForeignReaderError {
      throw InputError("--latents \(path): \(error)")
    } catch let error as LatentFileError {
      throw InputError("--latents \(error)")
    }
  }
}

/// Why a file of latents cannot be used, to follow the option that names it.
struct LatentFileError: JobEndingError, Codable, CustomStringConvertible {
  var exitStatus: ExitStatus { .badInput }
  let description: String

  init(_ description: String) { self.description = description }

  /// Calls `read`, whose errors it describes.
  static func describing<Answer>(_ read: () throws -> Answer) throws(LatentFileError) -> Answer {
    do { return try read() } catch { throw error as? LatentFileError ?? LatentFileError("\(error)") }
  }
}

struct LatentsQuestion: ForeignQuestion {
  let path: String
  let imageShape: [Int]

  struct Answer: Codable, Sendable {
    let count: Int
    let hasLabels: Bool
  }

  func answer() throws(LatentFileError) -> Answer {
    try LatentFileError.describing { try found(in: HDF5File.open(path)) }
  }

  private func found(in file: borrowing HDF5File) throws -> Answer {
    let shape = "[N, \(imageShape.map(String.init).joined(separator: ", "))]"
    guard try file.exists("latents") else {
      throw LatentFileError("\(path): it has no dataset `latents` of float32 \(shape)")
    }
    let latents = try file.openDataset("latents")
    guard latents.type == .float32, latents.shape.count == imageShape.count + 1,
      Array(latents.shape.dropFirst()) == imageShape
    else {
      throw LatentFileError(
        "\(path): `latents` is \(latents.type.rawValue) \(latents.shape), but float32 \(shape) is needed")
    }
    guard !latents.isMostlyUnwritten() else {
      throw LatentFileError("\(path): most values of `latents` were never written")
    }
    let count = latents.shape[0]
    guard count > 0 else { throw LatentFileError("\(path): `latents` contains no images") }
    guard try file.exists("labels") else { return Answer(count: count, hasLabels: false) }
    let labels = try file.openDataset("labels")
    guard labels.type == .int64, labels.shape == [count] else {
      throw LatentFileError(
        "\(path): `labels` is \(labels.type.rawValue) \(labels.shape), but int64 [\(count)] is needed")
    }
    return Answer(count: count, hasLabels: true)
  }
}

/// Consecutive elements of a dataset.
struct ElementsQuestion<Element: HDF5Element>: ForeignQuestion {
  let path: String
  let dataset: String
  /// In elements.
  let range: Range<Int>

  struct Answer: Codable, Sendable {
    /// In native byte order.
    let bytes: Data
  }

  func answer() throws(LatentFileError) -> Answer {
    try LatentFileError.describing {
      let elements = try HDF5File.open(path).openDataset(dataset).read(flatRange: range, as: Element.self)
      return Answer(bytes: elements.withUnsafeBytes { Data($0) })
    }
  }
}
