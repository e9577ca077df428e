import Files
import ForeignFiles
import FoundationEssentials
import HDF5

/// The questions about HDF5 files of fields that a child process answers.
package let fieldFileQuestions: [any ForeignQuestion.Type] = [FieldContentsQuestion.self, FieldValuesQuestion.self]

/// A file's variables apart from their values.
struct FieldContentsQuestion: ForeignQuestion {
  let path: String
  /// If empty, all variables that have the dimensions of fields.
  let variables: [String]

  func answer() throws(DatasetError) -> FieldFileContents {
    do { return try FieldFileContents.read(HDF5File.open(path), variables: variables) } catch {
      throw DatasetError(ofFields: error, path)
    }
  }
}

/// A box of a variable's values, as single-precision numbers in the order in which the file stores them; NaN where they
/// are missing.
struct FieldValuesQuestion: ForeignQuestion {
  let path: String
  let variable: String
  /// The shape that the variable had before.
  let shape: [Int]
  let ranges: [Range<Int>]
  /// The axis of which only some indices are read, if any.
  let chosenAxis: Int?
  let chosenIndices: [Int]
  let decoding: FieldDecoding

  func answer() throws(DatasetError) -> Data {
    let values: [Float]?
    do { values = try read(HDF5File.open(path)) } catch { throw DatasetError(ofFields: error, path) }
    guard let values else {
      throw DatasetError(.unreadable, path, "\(variable) has changed its shape", advice: "wait until it is written")
    }
    return values.withUnsafeBytes { Data($0) }
  }

  /// nil if the variable has another shape.
  private func read(_ file: borrowing HDF5File) throws(HDF5Error) -> [Float]? {
    let numbers = try file.openNumbers(variable)
    guard numbers.shape == shape else { return nil }
    let chosen = chosenAxis.map { (axis: $0, indices: chosenIndices) }
    return try numbers.read(ranges, choosing: chosen).map(decoding.value)
  }
}

extension DatasetError {
  /// Converts libhdf5's error for a file of fields.
  init(ofFields error: HDF5Error, _ path: String) {
    let advice =
      "give an HDF5 or NetCDF-4 file whose variables are numbers [time, y, x] or [time, level, y, x], or NumPy's .npy or "
      + ".npz"
    switch error.reason {
    case .noSuchFile: self.init(.missing, path, "there is no such file", advice: "check the path")
    case .notHDF5: self.init(.wrongMagic, path, error.message, advice: advice)
    case .noSuchObject, .wrongType, .fileExists:
      self.init(.wrongLayout, error.subject, error.message, advice: advice)
    case .damaged: self.init(.damaged, path, error.message, advice: "fetch the file again, or pack it again")
    case .unsealed: self.init(.wrongLayout, path, error.message, advice: "pack its source again")
    case .other: self.init(.unreadable, error.subject, error.message)
    }
  }
}
