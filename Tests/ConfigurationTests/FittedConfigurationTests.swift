import Configuration
import Datasets
import Diffusion
import Tensors
import Testing

/// What a configuration becomes with a data set.
@Suite struct FittedConfigurationTests {
  private let gaussian = changed {
    $0.data.name = "gaussian-field"
    $0.data.channels = 2
    $0.diffusion.process = .edm
    $0.diffusion.loss = .edm
  }

  @Test func fieldsGetTheirMeasuredSigmaDataAndAreNotClipped() throws {
    let fitted = try gaussian.fitted(to: gaussian.dataset())
    #expect(fitted.diffusion.sigmaData == 1 && !fitted.sampling.clipsOriginal)
    #expect(fitted.difference(from: gaussian).map(\.key.name) == ["diffusion.sigma_data", "sampling.clip"])
    // It stays what it is.
    #expect(try fitted.fitted(to: fitted.dataset()) == fitted)
    #expect(try fitted.modelDescription().parametrisation == .preconditioned(sigmaData: 1))
    var range = gaussian
    range.data.normalisation = .range
    let scaled = try range.fitted(to: range.dataset())
    let sigma = try #require(scaled.diffusion.sigmaData)
    #expect(abs(sigma * 6 - 1) < 1e-15 && scaled.sampling.clipsOriginal)
    var given = gaussian
    given.diffusion.sigmaData = 0.8
    #expect(try given.fitted(to: given.dataset()).diffusion.sigmaData == 0.8)
    given.diffusion.sigmaData = nil
    given.diffusion.process = .variancePreserving
    #expect(try given.fitted(to: given.dataset()).diffusion.sigmaData == nil)
  }

  @Test func thePresetOfFieldsKeepsTheBoundsOfARange() throws {
    var preset = try Presets.named("fields").configuration
    #expect(try !preset.fitted(to: preset.dataset()).sampling.clipsOriginal)
    preset.data.normalisation = .range
    #expect(try preset.fitted(to: preset.dataset()).sampling.clipsOriginal)
    preset.sampling.clipsOriginal = false
    #expect(try !preset.fitted(to: preset.dataset()).sampling.clipsOriginal)
  }

  @Test func imagesGetTheSigmaDataOfThePaper() throws {
    let shapes = try Presets.named("shapes").configuration
    #expect(try shapes.fitted(to: shapes.dataset()) == shapes)
    var edm = shapes
    edm.diffusion.process = .edm
    let fitted = try edm.fitted(to: edm.dataset())
    #expect(fitted.diffusion.sigmaData == 0.5 && fitted.sampling.clipsOriginal)
    #expect(try edm.modelDescription().parametrisation == .preconditioned(sigmaData: 0.5))
  }

  @Test func imagesAreNotNormalised() throws {
    var shapes = try Presets.named("shapes").configuration
    let dataset = try shapes.dataset()
    shapes.data.normalisation = .range
    #expect(
      problems { () throws(ConfigurationError) in _ = try shapes.fitted(to: dataset) } == [
        "data.normalisation is range, but shapes has images, which are not normalised; leave it at standard"
      ])
  }

  @Test func valuesOfUnusualMagnitudeMustBeStandardised() throws {
    let tiny = TinyFields()
    let dataset = try FieldDataset(tiny, normalisation: .none)
    let found = problems { () throws(ConfigurationError) in
      var configuration = gaussian
      configuration.data.normalisation = .none
      _ = try configuration.fitted(to: dataset)
    }
    #expect(found.first?.hasPrefix("the standard deviation of tiny is 1e-05, with data.normalisation none") == true)
    #expect(found.first?.hasSuffix("set data.normalisation to standard") == true)
  }

  @Test func classesMustBeThoseOfTheData() throws {
    var configuration = gaussian
    configuration.model.classes = 3
    let dataset = try configuration.dataset()
    #expect(
      problems { () throws(ConfigurationError) in _ = try configuration.fitted(to: dataset) } == [
        "model.classes is 3, but gaussian-field has no classes; set it to none"
      ])
  }

  @Test func theNetworkGetsTheGivenChannels() throws {
    var configuration = gaussian
    configuration.data.conditions = ["field_2"]
    let dataset = try configuration.dataset()
    let network = try configuration.network(
      height: dataset.height, width: dataset.width, channels: dataset.drawnShape[2])
    #expect(network.configuration.imageChannels == 1 && network.configuration.conditionChannels == 1)
    #expect(network.configuration.outputChannels == 1)
  }

  @Test func whatNeedsImagesRefusesFields() throws {
    let error = #expect(throws: (any Error).self) { try gaussian.imageDataset(for: "likelihood") }
    #expect(error.map { "\($0)" } == "likelihood needs images, but gaussian-field has fields")
    var grey = try Presets.named("shapes").configuration
    grey.data.conditions = ["grey"]
    #expect(try grey.dataset().imageShape == [32, 32, 4])
    #expect(try grey.imageDataset(for: "likelihood").imageShape == [32, 32, 3])
  }
}

/// Fields of a very small standard deviation.
private struct TinyFields: PhysicalFields {
  let name = "tiny"
  let fieldShape = [2, 2, 1]
  let variables = [FieldVariable(name: "q", standardDeviation: 1e-5, minimum: 0, maximum: 1e-4)]
  let coordinates = FieldCoordinates()
  var count: Int { 1 }
  var fingerprint: UInt64 { 1 }
  var contentMark: UInt64 { 1 }
  var readsFiles: Bool { false }
  func read(_ index: Int, into target: Tensor) { target.fill(0) }
}
