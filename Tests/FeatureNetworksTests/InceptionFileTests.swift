import FeatureNetworks
import Files
import Foundation
import Inception
import Interchange
import TestSupport
import Testing

@Suite struct InceptionFileTests {
  private static func withFile(_ body: (_ path: String, _ folder: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/.cache/ddpm-mpi/inception-v3-fid.safetensors"
      try makeFolder(at: parentFolder(of: path))
      try Data().write(to: URL(fileURLWithPath: path))
      try body(path, folder)
    }
  }

  @Test func weightsAreFoundInTheDownloadFolder() throws {
    let names = [
      "ddpm-mpi/pt_inception-2015-12-05-6726825d.pth", "ddpm-mpi/inception-v3-fid.safetensors",
      "torch/hub/checkpoints/pt_inception-2015-12-05-6726825d.pth",
    ]
    func paths(_ environment: [String: String]) -> [String] {
      InceptionFile.usualPaths(environment: environment, home: "/home/a")
    }
    #expect(paths([:]) == names.map { "/home/a/.cache/\($0)" })
    #expect(paths(["XDG_CACHE_HOME": "/fast"]) == names.map { "/fast/\($0)" })
    // A relative path is ignored.
    #expect(paths(["XDG_CACHE_HOME": "fast"]) == paths([:]))
    #expect(paths(["TORCH_HOME": "/torch"])[2] == "/torch/hub/checkpoints/\(InceptionFile.published)")
  }

  @Test func optionPrecedesEnvironmentPrecedesDefault() throws {
    try Self.withFile { path, folder in
      let variable = [InceptionFile.environmentVariable: path]
      let places: [(option: String?, environment: [String: String], home: String)] = [
        (path, [:], "/nowhere"), (nil, variable, "/nowhere"), (nil, [:], folder),
      ]
      for place in places {
        let found = try InceptionFile.locate(
          option: place.option, environment: place.environment, home: place.home)
        #expect(found == path)
      }
      // A missing file that was named is not replaced by another one that exists.
      #expect(throws: InterchangeError.self) {
        _ = try InceptionFile.locate(option: "/nowhere", environment: variable, home: folder)
      }
      #expect(throws: InterchangeError.self) {
        _ = try InceptionFile.locate(
          option: nil, environment: [InceptionFile.environmentVariable: "/nowhere"], home: folder)
      }
    }
  }

  @Test func aMissingFileIsExplained() {
    let error = #expect(throws: InterchangeError.self) {
      _ = try InceptionFile.locate(option: nil, environment: [:], home: "/nowhere")
    }
    let message = error?.description ?? ""
    for part in [
      "/nowhere/.cache/ddpm-mpi/\(InceptionFile.published): there is no such file", InceptionFile.publishedPage,
      InceptionFile.publishedSHA256, "to /nowhere/.cache/ddpm-mpi/\(InceptionFile.published)", "--inception-weights",
      InceptionFile.environmentVariable,
    ] {
      #expect(message.contains(part), "\(part) is not in: \(message)")
    }
  }

  @Test func missingOrMisshapenTensorsAreNamed() throws {
    let name = "Conv2d_1a_3x3.conv.weight"
    for (tensors, problem) in [
      ([], "weights: has no tensor \(name) of shape [32, 3, 3, 3]"),
      (
        [Safetensors.Tensor(name, shape: [32, 9], [Float](repeating: 0, count: 288))],
        "weights: \(name) has the shape [32, 9], not [32, 3, 3, 3]"
      ),
    ] {
      let file = try Safetensors(Safetensors.contents(of: tensors), path: "weights")
      let error = #expect(throws: InterchangeError.self) { _ = try InceptionNetwork(file) }
      #expect(error?.description.hasPrefix(problem) == true)
    }
  }
}
