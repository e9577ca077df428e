import ForeignFiles
import FoundationEssentials
import HDF5

/// The questions about HDF5 files of images without a seal that a child process answers.
package let imageFileQuestions: [any ForeignQuestion.Type] = [
  PresenceQuestion.self, ImageContentsQuestion.self, ImageValuesQuestion.self,
]

/// Whether a file has a dataset.
struct PresenceQuestion: ForeignQuestion {
  let path: String
  let dataset: String

  func answer() throws(DatasetError) -> Bool {
    do { return try HDF5File.open(path).exists(dataset) } catch { throw DatasetError(error, path) }
  }
}

/// The contents of a file apart from the images' values.
struct ImageContentsQuestion: ForeignQuestion {
  let path: String
  let split: DatasetSplit

  func answer() throws(DatasetError) -> HDF5ImageContents { try HDF5ImageContents.read(path, split: split) }
}

/// Integers that are encoded as bytes, since a property list would hold an object for each.
@propertyWrapper struct EncodedAsBytes: Codable, Sendable {
  var wrappedValue: [Int64]

  init(wrappedValue: [Int64]) { self.wrappedValue = wrappedValue }

  init(from decoder: any Decoder) throws {
    let bytes = try decoder.singleValueContainer().decode(Data.self)
    wrappedValue = bytes.withUnsafeBytes { bytes in
      (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(wrappedValue.withUnsafeBytes { Data($0) })
  }
}

/// Consecutive elements of a dataset of bytes.
struct ImageValuesQuestion: ForeignQuestion {
  let path: String
  let dataset: String
  /// In elements.
  let range: Range<Int>

  func answer() throws(DatasetError) -> Data {
    do {
      return Data(try HDF5File.open(path).openDataset(dataset).read(flatRange: range, as: UInt8.self))
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
