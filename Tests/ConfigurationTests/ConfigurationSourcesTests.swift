import Configuration
import Foundation
import TestSupport
import Testing

@Suite struct ConfigurationSourcesTests {
  @Test func quickstartIsTheDefaultPreset() throws {
    let sources = ConfigurationSources()
    #expect(sources.runName == "quickstart")
    #expect(try sources.resolve() == RunConfiguration())
  }

  @Test func laterSourcesWin() throws {
    try withTemporaryFolder { folder in
      let file = folder + "/my-run.yaml"
      try "preset: cifar10\ntraining: {batch: 256, steps: 7}".write(toFile: file, atomically: true, encoding: .utf8)
      let sources = ConfigurationSources(file: file, settings: ["training.steps=8", "training.steps = 9"])
      let configuration = try sources.resolve()
      #expect(sources.runName == "my-run")
      #expect(configuration.model.channels == 128)
      #expect(configuration.training.batch == 256)
      #expect(configuration.training.steps == 9)
    }
  }

  @Test func onlyOnePresetMayBeChosen() throws {
    try withTemporaryFolder { folder in
      let file = folder + "/run.yaml"
      try "preset: cifar10".write(toFile: file, atomically: true, encoding: .utf8)
      let found = problems { () throws(ConfigurationError) in
        _ = try ConfigurationSources(preset: "shapes", file: file).resolve()
      }
      #expect(found == ["\(file) names a preset of its own; leave out --preset shapes"])
    }
  }

  @Test func unknownPresetSuggestsTheNearest() {
    let found = problems { () throws(ConfigurationError) in
      _ = try ConfigurationSources(preset: "cifar-10").resolve()
    }
    #expect(
      found == [
        "there is no preset cifar-10; did you mean cifar10? "
          + "the presets are \(Presets.all.map(\.name).joined(separator: ", "))"
      ])
  }

  @Test func unknownPresetInAFileNamesTheLine() {
    let found = problems { () throws(ConfigurationError) in
      _ = try RunConfiguration(yaml: "seed: 1\npreset: mine", file: "run.yaml")
    }
    #expect(
      found == [
        "run.yaml:2: there is no preset mine; the presets are \(Presets.all.map(\.name).joined(separator: ", "))"
      ])
  }

  @Test func missingFileIsNamedWithTheReason() {
    let found = problems { () throws(ConfigurationError) in
      _ = try ConfigurationSources(file: "/nowhere/run.yaml").resolve()
    }
    #expect(found == ["cannot open /nowhere/run.yaml: No such file or directory"])
  }

  @Test(arguments: [
    ("training.steps", "--set training.steps: expected key=value, like --set training.steps=1000"),
    ("=3", "--set =3: expected key=value, like --set training.steps=1000"),
    ("training.steps=", "--set training.steps=: there is no value after the ="),
    ("training.steps=x", "--set training.steps=x: training.steps is x; expected a whole number"),
    ("training.step=5", "--set training.step=5: there is no key training.step; did you mean training.steps?"),
    ("preset=cifar10", "--set preset=cifar10: choose a preset with --preset or in a file"),
  ])
  func wrongSettingIsQuoted(setting: String, message: String) {
    let found = problems { () throws(ConfigurationError) in
      _ = try ConfigurationSources(settings: [setting]).resolve()
    }
    #expect(found == [message])
  }

  @Test func settingsTakeLists() throws {
    let sources = ConfigurationSources(settings: ["model.multipliers=[1,3]", "model.attention_resolutions=[]"])
    let configuration = try sources.resolve()
    #expect(configuration.model.multipliers == [1, 3])
    #expect(configuration.model.attentionResolutions == [])
  }

  @Test func resolvedConfigurationIsValid() {
    let found = problems { () throws(ConfigurationError) in
      _ = try ConfigurationSources(settings: ["training.batch=0"]).resolve()
    }
    #expect(found == ["training.batch is 0; it must be from 1 to 1048576"])
  }

  @Test func resumedRunStartsFromItsSavedValues() throws {
    let saved = try Presets.named("shapes").configuration
    let resumed = try ConfigurationSources(settings: ["training.steps=900"]).resolve(saved: saved)
    #expect(resumed.difference(from: saved).map(\.key.name) == ["training.steps"])
    let other = try ConfigurationSources(preset: "quickstart").resolve(saved: saved)
    #expect(other == RunConfiguration())
  }
}
