import Datasets
import Testing

@Suite struct DatasetCatalogTests {
  @Test func unknownNameListsTheKnownOnes() {
    let error = #expect(throws: DatasetError.self) { try DatasetCatalog.load(name: "imagenet") }
    #expect(error?.kind == .unknownName)
    for name in DatasetCatalog.names { #expect(error?.description.contains(name) == true) }
  }

  @Test func shapesNeedNoFiles() throws {
    let dataset = try DatasetCatalog.load(name: "shapes")
    #expect(dataset.name == "shapes" && dataset.count == 10_000 && dataset.imageShape == [32, 32, 3])
  }

  @Test func fieldsAreNoImages() {
    let error = #expect(throws: DatasetError.self) { try DatasetCatalog.images(name: "gaussian-field") }
    #expect(error?.problem == "gaussian-field has fields, not images")
  }

  @Test(arguments: ["mnist", "cifar10", "cifar100", "folder", "hdf5"])
  func dataWithoutADefaultFolderNeedsAPath(name: String) {
    let error = #expect(throws: DatasetError.self) { try DatasetCatalog.load(name: name) }
    #expect(error?.kind == .missing && error?.location == "data.path")
  }

  @Test(arguments: ["fashion-mnist", "mnist", "cifar10", "cifar100", "folder", "hdf5"])
  func filesAreReadFromTheGivenPath(name: String) {
    let error = #expect(throws: DatasetError.self) { try DatasetCatalog.load(name: name, path: "/nowhere") }
    #expect(error?.kind == .missing && error?.location.hasPrefix("/nowhere") == true)
  }
}
