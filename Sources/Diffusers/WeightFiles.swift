import Files
import Interchange

/// The tensors of one component of a pipeline: in one file, or in several with an index.
struct WeightFiles {
  static let fileName = "diffusion_pytorch_model.safetensors"
  private static let indexName = fileName + ".index.json"
  private static let pickleName = "diffusion_pytorch_model.bin"

  /// The name in messages.
  let path: String
  private let files: [Safetensors]
  private let fileIndices: [String: Int]

  /// - Parameter folder: the component's folder.
  /// - Throws: `InterchangeError` if there are none in a supported format.
  init(in folder: String) throws(InterchangeError) {
    let single = "\(folder)/\(Self.fileName)"
    let index = "\(folder)/\(Self.indexName)"
    let names: [String]
    if fileExists(single) {
      path = single
      names = [Self.fileName]
    } else if fileExists(index) {
      path = index
      names = try Self.fileNames(ComponentFile(readingFrom: index))
    } else {
      throw Self.missing(folder)
    }
    files = try names.map { (name) throws(InterchangeError) in try Safetensors(readingFrom: "\(folder)/\(name)") }
    var fileIndices: [String: Int] = [:]
    for (number, file) in files.enumerated() {
      for entry in file.entries where fileIndices.updateValue(number, forKey: entry.name) != nil {
        throw InterchangeError(file.path, "tensor \(entry.name) is in another file too")
      }
    }
    self.fileIndices = fileIndices
  }

  /// The names of all tensors, in alphabetical order.
  var names: [String] { fileIndices.keys.sorted() }

  /// The metadata of the first file's header.
  var metadata: [String: String] { files.first?.metadata ?? [:] }

  func shape(of name: String) -> [Int]? { fileIndices[name].flatMap { files[$0][name]?.shape } }

  /// The elements of one tensor in row-major order.
  func floats(_ name: String) throws(InterchangeError) -> [Float] {
    guard let index = fileIndices[name] else {
      throw InterchangeError(path, "has no tensor \(name)", advice: ComponentFile.usualAdvice)
    }
    return try files[index].floats(name)
  }

  private static func fileNames(_ index: ComponentFile) throws(InterchangeError) -> [String] {
    guard let map = index.values["weight_map"]?.object else {
      throw InterchangeError(index.path, "has no weight_map, which lists the file of each tensor")
    }
    let names = map.values.compactMap(\.text)
    // A file outside of the folder does not belong to the model.
    guard names.count == map.count, names.allSatisfy({ !$0.contains("/" as Character) && $0.hasSuffix(".safetensors") })
    else {
      throw InterchangeError(index.path, "weight_map must name files of this folder that end in .safetensors")
    }
    return Set(names).sorted()
  }

  private static func missing(_ folder: String) -> InterchangeError {
    let pickle = "\(folder)/\(pickleName)"
    guard fileExists(pickle) else {
      return InterchangeError(
        folder, "has no \(fileName)",
        advice: "give the folder written by `save_pretrained`, or that of its U-Net")
    }
    return InterchangeError(
      pickle, "is a pickle, which may run code: not supported", advice: "convert it with\n" + conversion(folder))
  }

  /// The command that converts a pickle to a safetensors file.
  static func conversion(_ folder: String) -> String {
    """
    python3 -c 'import sys, torch; from safetensors.torch import save_file; save_file({k: v.contiguous() for k, v in \
    torch.load(sys.argv[1], map_location="cpu", weights_only=True).items()}, sys.argv[2])' \
    \(folder)/\(pickleName) \(folder)/\(fileName)
    """
  }
}
