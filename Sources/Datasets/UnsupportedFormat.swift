import Files
import HDF5
import Interchange

/// An unsupported format of images or fields that is recognised, with advice on how to convert it.
package struct UnsupportedFormat: Sendable, Equatable {
  package let name: String
  package let advice: String
  /// What to do if the file has fields.
  private let adviceForFields: String

  private init(_ name: String, advice: String = Self.waysOut, forFields: String = Self.wayOutOfFields) {
    self.name = name
    self.advice = advice
    adviceForFields = forFields
  }

  /// A format that only fields have.
  private init(ofFields name: String, advice: String) { self.init(name, advice: advice, forFields: advice) }

  /// The same format, with the advice for fields.
  private var forFields: UnsupportedFormat { UnsupportedFormat(ofFields: name, advice: adviceForFields) }

  private static let waysOut =
    "write its images as PNG files, with a folder per class, or all into an .npz: in Python, "
    + "numpy.savez(\"images.npz\", images=images, labels=labels) with images of uint8 [N, H, W, C] and labels of "
    + "integers [N]"
  private static let wayOutOfFields =
    "write its fields into an .npz: in Python, numpy.savez(\"fields.npz\", u=u) with u of numbers [N, H, W]"

  private static let parquet = UnsupportedFormat("Parquet")
  private static let arrow = UnsupportedFormat("Arrow")
  private static let tar = UnsupportedFormat(
    "a tar archive (webdataset, for example)",
    advice: "unpack it; if its classes are not folders, \(waysOut)", forFields: "unpack it and give its files")
  private static let lmdb = UnsupportedFormat("LMDB")
  private static let tfRecord = UnsupportedFormat("TFRecord")
  private static let pickle = UnsupportedFormat("a Python pickle (which may run any code)")
  private static let matlab = UnsupportedFormat(
    "MATLAB before its version 7.3",
    advice: "for fields, \(savingInMATLAB), and add --variables u; for images, write PNG files, with a folder per "
      + "class, or an .npz",
    forFields: savingInMATLAB)
  private static let savingInMATLAB = "save them in MATLAB with save('new.mat', 'u', '-v7.3')"
  private static let netCDF3 = UnsupportedFormat(
    ofFields: "classic NetCDF", advice: "convert it to NetCDF-4, which is HDF5: nccopy -k nc4 old.nc new.nc")
  private static let grib = UnsupportedFormat(
    ofFields: "GRIB", advice: "convert it to NetCDF-4: cdo -f nc4 copy old.grib new.nc")
  private static let hdf4 = UnsupportedFormat(ofFields: "HDF4", advice: "convert it to HDF5: h4toh5 old.hdf new.h5")
  /// A folder, or a ZIP archive of one.
  private static let zarr = UnsupportedFormat(
    ofFields: "Zarr",
    advice:
      "convert it to NetCDF-4, in Python: xarray.open_zarr(\"old.zarr\").to_netcdf(\"new.nc\", engine=\"h5netcdf\")")
  private static let packed = UnsupportedFormat(
    "a compressed archive", advice: "unpack it and give its folder", forFields: "unpack it and give its files")
  private static let video = UnsupportedFormat("a video", advice: "write its frames as PNG files into a folder")
  private static let cifar10 = UnsupportedFormat(
    "Python's pickles of CIFAR-10", advice: "unpack cifar-10-binary.tar.gz instead, and give its folder")
  private static let cifar100 = UnsupportedFormat(
    "Python's pickles of CIFAR-100", advice: "unpack cifar-100-binary.tar.gz instead, and give its folder")

  private static let endings: [String: UnsupportedFormat] = [
    "parquet": parquet, "arrow": arrow, "feather": arrow, "tar": tar, "mdb": lmdb, "lmdb": lmdb, "tfrecord": tfRecord,
    "tfrecords": tfRecord, "pkl": pickle, "pickle": pickle, "pt": pickle, "pth": pickle, "mat": matlab,
    "rec": UnsupportedFormat("MXNet's RecordIO"), "beton": UnsupportedFormat("FFCV"),
    "mds": UnsupportedFormat("MosaicML's streaming format"), "tgz": packed, "gz": packed, "xz": packed,
    "bz2": packed,
    "zst": packed, "rar": packed, "7z": packed, "mp4": video, "avi": video, "mov": video, "mkv": video, "webm": video,
  ]

  /// The format of a file, judging by its name; nil if unknown.
  static func named(_ path: String) -> UnsupportedFormat? {
    let parts = path.split(separator: "/")
    let name = parts.last ?? ""
    if name == "batches.meta" || name.hasPrefix("data_batch_") && !name.contains(".") { return cifar10 }
    if parts.dropLast().last == "cifar-100-python" { return cifar100 }
    if name.hasSuffix("_X.bin") { return UnsupportedFormat("STL-10's binary format") }
    if name.contains(".tfrecord") { return tfRecord }
    if name.lowercased().hasSuffix(".zarr.zip") { return zarr }
    return endings[fileEnding(of: path)]
  }

  /// The format of a file, judging by its first bytes; nil if unknown.
  private static func starting(with bytes: [UInt8]) -> UnsupportedFormat? {
    func begins(_ text: String) -> Bool { bytes.starts(with: text.utf8) }
    if begins("PAR1") { return parquet }
    if begins("ARROW1") { return arrow }
    if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) { return tar }
    if begins("MATLAB") { return matlab }
    if begins("CDF"), bytes.count > 3, [1, 2, 5].contains(bytes[3]) { return netCDF3 }
    if isGRIB(bytes) { return grib }
    if bytes.starts(with: [0x0e, 0x03, 0x13, 0x01]) { return hdf4 }
    if bytes.count > 1, bytes[0] == 0x80, (2...5).contains(bytes[1]) { return pickle }
    let isPacked = begins("7z\u{bc}") || begins("Rar!") || bytes.starts(with: [0xfd] + Array("7zXZ".utf8))
    return isPacked ? packed : nil
  }

  /// Whether a message in GRIB begins in the first bytes: at once, or after the heading of a bulletin of the WMO. Its
  /// eighth byte is the edition.
  private static func isGRIB(_ bytes: [UInt8]) -> Bool {
    let start = Array("GRIB".utf8)
    if bytes.starts(with: start) { return true }
    return (0...128).contains { offset in
      offset + 7 < bytes.count && bytes[offset...].starts(with: start) && [1, 2].contains(bytes[offset + 7])
    }
  }

  private static let metadataOfZarr = [".zgroup", ".zarray", "zarr.json"]

  /// The format of a folder; nil if it is none that a program treats as a file.
  package static func ofFolder(_ path: String) -> UnsupportedFormat? {
    func hasMetadata(_ path: String) -> Bool { metadataOfZarr.contains { fileExists("\(path)/\($0)") } }
    if hasMetadata(path) { return zarr }
    // The folder of the arrays may lack them.
    let names = ((try? namesInFolder(path)) ?? []).sorted()
    return names.prefix(100).contains { hasMetadata("\(path)/\($0)") } ? zarr : nil
  }

  /// The format of a ZIP archive; nil if it is none that a program treats as a file, or cannot be read.
  package static func ofArchive(_ path: String) -> UnsupportedFormat? {
    guard firstBytes(of: path).starts(with: Array("PK".utf8)), let archive = try? ZipFile(path) else { return nil }
    return archive.members.contains { metadataOfZarr.contains(lastPart(ofPath: $0.name)) } ? zarr : nil
  }

  /// The format of a file or folder that is to hold fields; nil if unknown. Here the first bytes decide, since names such
  /// as `.dat` and `.mat` say little.
  static func ofFields(_ path: String) -> UnsupportedFormat? {
    (ofFolder(path) ?? starting(with: firstBytes(of: path)) ?? named(path) ?? ofArchive(path))?.forFields
  }

  /// The format of a file, judging by its name or its first bytes; nil if unknown, or if it is HDF5 whatever its name.
  package static func ofFile(_ path: String) -> UnsupportedFormat? {
    guard !HDF5File.isHDF5(path) else { return nil }
    return named(path) ?? starting(with: firstBytes(of: path))
  }
}

extension DatasetError {
  package init(_ format: UnsupportedFormat, _ path: String) {
    self.init(.wrongLayout, path, "is \(format.name), which is not supported", advice: format.advice)
  }

  /// A folder without images; other formats in it may be recognised.
  init(withoutImages tree: FileTree) {
    let others = tree.allOtherFiles.map(\.path)
    for path in others.prefix(20) {
      if let format = UnsupportedFormat.ofFile(path) {
        self.init(format, path)
        return
      }
    }
    let such = others.first.map { ", but \(others.count) of other kinds, such as \(lastPart(ofPath: $0))" } ?? ""
    self.init(
      .missing, tree.path, "there are no PNG or JPEG files in it\(such)",
      advice: "give the folder of the images, or the files of fields themselves")
  }
}
