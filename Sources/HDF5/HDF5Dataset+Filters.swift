import CHDF5

/// An HDF5 filter, such as a compression method, by its registered number.
package struct HDF5Filter: Sendable, Equatable, Codable, CustomStringConvertible {
  package let number: Int

  /// The filters that h5py and hdf5plugin write (HDF Group: "Registered filter plugins").
  private static let names = [
    1: "gzip", 2: "shuffle", 3: "Fletcher's checksums", 4: "szip", 5: "nbit", 6: "scale and offset", 305: "LZO",
    307: "bzip2", 32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle", 32013: "ZFP", 32015: "Zstandard",
    32026: "Blosc2",
  ]

  package var description: String { "\(Self.names[number] ?? "an unknown filter") (HDF5 filter \(number))" }

  /// The first filter that is not available, either built in or as a plugin.
  /// - Parameter creation: the properties with which a dataset was created.
  static func firstMissing(of creation: borrowing Handle) -> HDF5Filter? {
    for index in 0..<max(H5Pget_nfilters(creation.identifier), 0) {
      var (flags, valueCount, configuration): (UInt32, Int, UInt32) = (0, 0, 0)
      let number = H5Pget_filter2(
        creation.identifier, UInt32(index), &flags, &valueCount, nil, 0, nil, &configuration)
      guard number >= 0, H5Zfilter_avail(number) > 0 else { return HDF5Filter(number: Int(number)) }
    }
    return nil
  }
}

extension HDF5Dataset {
  /// The first filter of the elements that is not available, either built in or as a plugin; nil if all can be read.
  package borrowing func missingFilter() throws(HDF5Error) -> HDF5Filter? {
    HDF5Filter.firstMissing(of: try creationProperties(of: handle, subject))
  }
}
