import Failures
import Files
import ForeignFiles
import Foundation
import HDF5
import Tensors

/// The questions about files of latents that a child process answers.
public let latentFileQuestions: [any ForeignQuestion.Type] = [
  LatentsQuestion.self, LatentValuesQuestion.self, LatentLabelsQuestion.self,
]

/// An HDF5 file of latents to start from, float32 [count, H, W, C], optionally with `labels`, int64 [count]. A child
/// process reads it, since a damaged file could crash libhdf5 or make it run forever.
final class LatentFile {
  let count: Int
  /// Whether each image has a class.
  let hasLabels: Bool
  private let option: String
  private let path: String
  private let dataset: String
  private let imageShape: [Int]
  private let reader: ForeignReader

  /// - Parameters:
  ///   - dataset: the dataset's name in the file.
  ///   - imageShape: [H, W, C].
  ///   - option: the option that names the file, for messages.
  /// - Throws: `InputError`, also for a dataset of another type or shape.
  init(_ path: String, dataset: String, imageShape: [Int], option: String) throws {
    (self.path, self.dataset, self.imageShape, self.option) = (path, dataset, imageShape, option)
    let question = LatentsQuestion(path: path, dataset: dataset, imageShape: imageShape)
    let answer: LatentsQuestion.Answer
    (reader, answer) = try Self.naming(option, path) {
      let reader = try ForeignReader()
      return (reader, try reader.ask(question))
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
      let question = LatentValuesQuestion(path: path, dataset: dataset, range: index * size..<(index + 1) * size)
      let values = try Self.naming(option, path) { try reader.ask(question).values }
      elements += [Float](unsafeUninitializedCapacity: size) { target, count in
        count = values.copyBytes(to: target) / MemoryLayout<Float>.stride
      }
      guard elements.suffix(size).allSatisfy(\.isFinite) else {
        throw InputError("\(option) \(path): `\(dataset)`[\(index)] has values that are not finite")
      }
    }
    return Tensor(elements, shape: [range.count] + imageShape)
  }

  /// The classes of a range of images; negative numbers stand for no class.
  func readLabels(_ range: Range<Int>) throws -> [Int?] {
    try Self.naming(option, path) { try reader.ask(LatentLabelsQuestion(path: path, range: range)).labels }
      .map { $0 < 0 ? nil : Int($0) }
  }

  private static func naming<Answer>(_ option: String, _ path: String, _ ask: () throws -> Answer) throws -> Answer {
    do { return try ask() } catch let error as ForeignReaderError {
      throw InputError("\(option) \(path): \(error)")
    } catch let error as LatentFileError {
      throw InputError("\(option) \(error)")
    }
  }
}

/// Why a file of latents cannot be used, to follow the option that names it.
struct LatentFileError: JobEndingError, Codable, CustomStringConvertible {
  var exitStatus: ExitStatus { .badInput }
  let description: String

  init(_ description: String) { self.description = description }

  init(_ error: HDF5Error) { description = "\(error)" }
}

struct LatentsQuestion: ForeignQuestion {
  let path: String
  let dataset: String
  let imageShape: [Int]

  struct Answer: Codable, Sendable {
    let count: Int
    let hasLabels: Bool
  }

  func answer() throws(LatentFileError) -> Answer {
    let found: Result<Answer, LatentFileError>
    do { found = try self.found(in: HDF5File.open(path)) } catch { throw LatentFileError(error) }
    return try found.get()
  }

  private func found(in file: borrowing HDF5File) throws(HDF5Error) -> Result<Answer, LatentFileError> {
    let shape = "[N, \(imageShape.map(String.init).joined(separator: ", "))]"
    guard try file.exists(dataset) else {
      return .failure(LatentFileError("\(path): it has no dataset `\(dataset)` of float32 \(shape)"))
    }
    let latents = try file.openDataset(dataset)
    guard latents.type == .float32, latents.shape.count == imageShape.count + 1,
      Array(latents.shape.dropFirst()) == imageShape
    else {
      return .failure(
        LatentFileError(
          "\(path): `\(dataset)` is \(latents.type.rawValue) \(latents.shape), but float32 \(shape) is needed"))
    }
    guard !latents.isMostlyUnwritten() else {
      return .failure(LatentFileError("\(path): most values of `\(dataset)` were never written"))
    }
    guard latents.shape[0] > 0 else { return .failure(LatentFileError("\(path): `\(dataset)` contains no images")) }
    let count = latents.shape[0]
    guard try file.exists("labels") else { return .success(Answer(count: count, hasLabels: false)) }
    let labels = try file.openDataset("labels")
    guard labels.type == .int64, labels.shape == [count] else {
      return .failure(
        LatentFileError(
          "\(path): `labels` is \(labels.type.rawValue) \(labels.shape), but int64 [\(count)] is needed"))
    }
    return .success(Answer(count: count, hasLabels: true))
  }
}

struct LatentLabelsQuestion: ForeignQuestion {
  let path: String
  let range: Range<Int>

  struct Answer: Codable, Sendable {
    let labels: [Int64]
  }

  func answer() throws(LatentFileError) -> Answer {
    do throws(HDF5Error) {
      return Answer(labels: try HDF5File.open(path).openDataset("labels").read(flatRange: range, as: Int64.self))
    } catch { throw LatentFileError(error) }
  }
}

/// Consecutive elements of a single-precision dataset.
struct LatentValuesQuestion: ForeignQuestion {
  let path: String
  let dataset: String
  /// In elements.
  let range: Range<Int>

  struct Answer: Codable, Sendable {
    /// In native byte order.
    let values: Data
  }

  func answer() throws(LatentFileError) -> Answer {
    do throws(HDF5Error) {
      let values = try HDF5File.open(path).openDataset(dataset).read(flatRange: range, as: Float.self)
      return Answer(values: values.withUnsafeBytes { Data($0) })
    } catch { throw LatentFileError(error) }
  }
}
