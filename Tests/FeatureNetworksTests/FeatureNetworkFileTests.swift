import FeatureNetworks
import Interchange
import Testing

@Suite struct FeatureNetworkFileTests {
  private static let huge = "4611686018427387904"

  /// The description in a file is validated like a user's configuration, and the message names the file.
  @Test(arguments: [
    ("model.channels: 0", "32,32,1", "10", "x:configuration: model.channels is 0; it must be from 1 to 65536"),
    ("model.channels: \(huge)", "32,32,1", "10", "x:configuration: model.channels is \(huge); it must be"),
    (
      "model.multipliers: [1, \(huge)]", "32,32,1", "10",
      "x:configuration: model.multipliers is [1, \(huge)]; it must be"
    ),
    ("model.groups: 7", "32,32,1", "10", "x:configuration: model.channels is 32, which model.groups 7 does not divide"),
    ("diffusion.steps: \(huge)", "32,32,1", "10", "x:configuration: diffusion.steps is \(huge); it must be"),
    ("model.blocks: many", "32,32,1", "10", "x:configuration:1: model.blocks is many; expected a whole number"),
    ("seed: 1", "\(huge),32,1", "10", "x: images of \(huge)x32x1 are not possible"),
    ("seed: 1", "30,32,1", "10", "x: model.multipliers is [1, 2, 2]"),
    ("seed: 1", "32,32,1", huge, "x: a classifier of \(huge) classes is not possible"),
    ("seed: 1", "0,32,1", "10", "x: its metadata are incomplete"),
    ("seed: 1", "32,32", "10", "x: its metadata are incomplete"),
    ("seed: 1", "32,32,1", "-1", "x: its metadata are incomplete"),
  ])
  func descriptionIsValidated(configuration: String, shape: String, classes: String, expected: String) throws {
    let contents = Safetensors.contents(
      of: [],
      metadata: [
        "kind": "ddpm-mpi feature network, version 1", "name": "mine", "configuration": configuration,
        "image_shape": shape, "class_count": classes,
      ])
    #expect {
      _ = try ClassifierFeatures(Safetensors(contents, path: "x"))
    } throws: {
      "\($0)".hasPrefix(expected)
    }
  }
}
