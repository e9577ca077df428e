import Compression
import Foundation
import HDF5
import TestSupport
import Testing

extension StorageTests {
  /// Files whose elements would be read from other files, or do not exist.
  @Suite struct HDF5OtherFilesTests {
    private func refusal(of dataset: String) throws -> String? {
      let folder = try TemporaryFolder()
      let compressed = try folder.write([UInt8](try #require(Data(base64Encoded: fileWithOthers))), to: "other.h5.gz")
      let file = try HDF5File.open(try folder.write(try gunzip(contentsOf: compressed), to: "other.h5"))
      return #expect(throws: HDF5Error.self) { _ = try file.openDataset(dataset).readAll(as: Int64.self) }?.message
    }

    @Test(arguments: ["images", "virtual"]) func elementsInOtherFilesAreNotRead(dataset: String) throws {
      #expect(try refusal(of: dataset)?.contains("in other files") == true)
    }

    @Test func linksIntoOtherFilesAreNotFollowed() throws {
      #expect(try refusal(of: "elsewhere")?.contains("link to another file") == true)
      // A link within the file whose target is a link to another file.
      #expect(try refusal(of: "near") != nil)
    }

    @Test func elementsThatWereNeverWrittenTakeNoMemory() throws {
      #expect(try refusal(of: "zeros")?.contains("more than the limit of 268435456 bytes") == true)
    }
  }
}

/// Created with h5py: `images` in /etc/passwd, `virtual` in another HDF5 file, the external link `elsewhere` and the
/// soft link `near` to it, and `zeros`, 2^32 int64 in chunks that do not exist.
private let fileWithOthers = """
  H4sIAAAAAAACA+2YzU7CQBDHZ7cf1Bpj40Xk5JGTePGOEZCDClEPHGm0ESKKaVGMT6A3HsGj8eTRR/CtsO3OtttGPfhBSJxfApPZne5H9z/bZB\
  6atcaSXbIhwrJABwdUpoizlvVlfxctQ3uP9onLdjvuK2K7g+O/GMJ/xPbjw3o9ip7mkPP0dGEtIP4jzfp2O7KdREeCN56N61+4Z16Q6rH5w3kZ\
  mGIsJn2hZMZEA8oysVq4MobrY4pijdBGPuc8bi5AOfbFj8HmJ/qW41o4r8ZkZui5yO5Mz6GYy/t2bjkVb3RSuXKDYHwa+0cHrVq0T7m/dY00/R\
  3k/dktCL+T67dRZxJT6hVMkRq5F2+GOoz7reqCNwi8cc/zvVU8v+Eo9DZ6W1CRaZWOZzH90nN9O4yUj/1lvli4b12TEhLRK+hG3nNj8Tz9As0H\
  PMmUj79s6fkUbvr+6NodtM3s+TjYb9x5/jBIhvsldndae0y5UKV29iGX4FlB3IKm9ImNpr6TXGzykAFK+mtZCZ8sUy4TBEEQBEEQBEEQxKxgYH\
  xZr1FLAAyUeo0lKzXV+D+p12iA9RqsV3KeFjwctbw5mcv38Q5Us5soEBkAAA==
  """
