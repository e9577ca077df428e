import ForeignFiles
import Foundation
import HDF5

/// The questions about HDF5 files of images without a seal that a child process answers.
public let imageFileQuestions: [any ForeignQuestion.Type] = [
  PresenceQuestion.self, ImageContentsQuestion.self, ImageValuesQuestion.self,
]

/// Whether a file has a dataset.
struct PresenceQuestion: ForeignQuestion {
  let path: String
  let dataset: String

  struct Answer: Codable, Sendable {
    let isThere: Bool
  }

  func answer() throws(DatasetError) -> Answer {
    do { return Answer(isThere: try HDF5File.open(path).exists(dataset)) } catch { throw DatasetError(error, path) }
  }
}

/// The contents of a file apart from the images' values.
struct ImageContentsQuestion: ForeignQuestion {
  let path: String
  let split: DatasetSplit

  struct Answer: Codable, Sendable {
    let dataset: String
    let name: String
    let shape: [Int]
    let classNames: [String]
    let allowsFlips: Bool
    private let labelBytes: Data
    private let checksumBytes: Data?

    init(_ contents: ImageFileContents) {
      (dataset, name, shape) = (contents.dataset, contents.name, contents.shape)
      (classNames, allowsFlips) = (contents.classNames, contents.allowsFlips)
      labelBytes = contents.labels.withUnsafeBytes { Data($0) }
      checksumBytes = contents.checksums.map { $0.withUnsafeBytes { Data($0) } }
    }

    /// Empty if there are none.
    var labels: [Int64] { Self.numbers(labelBytes) }
    /// nil if there are none.
    var checksums: [Int64]? { checksumBytes.map(Self.numbers) }

    private static func numbers(_ bytes: Data) -> [Int64] {
      bytes.withUnsafeBytes { bytes in
        (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
      }
    }
  }

  func answer() throws(DatasetError) -> Answer {
    do { return Answer(try ImageFileContents.read(path, split: split)) } catch let error as DatasetError {
      throw error
    } catch { throw DatasetError(.unreadable, path, "\(error)") }
  }
}

/// Consecutive elements of a dataset of bytes.
struct ImageValuesQuestion: ForeignQuestion {
  let path: String
  let dataset: String
  /// In elements.
  let range: Range<Int>

  struct Answer: Codable, Sendable {
    let values: Data
  }

  func answer() throws(DatasetError) -> Answer {
    do {
      let values = try HDF5File.open(path).openDataset(dataset).read(flatRange: range, as: UInt8.self)
      return Answer(values: Data(values))
    } catch { throw DatasetError(error, path) }
  }
}

extension ForeignReader {
  /// Asks one question in a separate process.
  /// - Throws: `DatasetError`.
  static func askOnce<Question: ForeignQuestion>(_ question: Question, _ path: String) throws -> Question.Answer
  where Question.Failure == DatasetError {
    try DatasetError.naming(path) { try ForeignReader().ask(question) }
  }
}

extension DatasetError {
  /// Turns the end of a child process into an error that names the file.
  static func naming<Answer>(_ path: String, _ ask: () throws -> Answer) throws -> Answer {
    do { return try ask() } catch let error as ForeignReaderError {
      throw DatasetError(
        .unreadable, path, error.description, advice: "fetch the file again, or rewrite it in smaller chunks")
    }
  }
}
