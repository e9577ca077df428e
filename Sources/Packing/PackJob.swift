import Datasets
import Failures
import Files
import Images
import MessagePassing
import Reporting
import Tensors

/// Converts folders of images and other data sets to one file that training reads on demand.
package struct PackJob: Sendable {
  /// Folders, HDF5 files or names of data sets, in order.
  package var sources: [String]
  /// The sources of test images; if empty, the sources that have separate test images.
  package var tests: [String] = []
  package var output: String
  /// The name of the data set; by default the source's or the file's.
  package var name: String?
  /// How images are read and converted to one kind. Without `channels`, all are converted to colour if any has colour.
  package var fitting = FolderImages.Fitting()
  /// Whether mirrored images are valid images of the data set; by default as in the sources.
  package var allowsFlips: Bool?
  /// Whether to skip damaged images.
  package var skipsDamaged = false
  /// Whether every subfolder of a source is a class, even if it has the name of a split.
  package var subfoldersAreClasses = false
  /// Whether to replace the output if it exists.
  package var replaces = false
  package var threads = 1

  package init(sources: [String], output: String) {
    self.sources = sources
    self.output = output
  }

  /// Packs in this process alone.
  package func run(communicator: Communicator) throws {
    try Packing.pack(to: output, replaces: replaces, communicator: communicator, pack)
  }

  private func pack(_ reporter: RunReporter) throws {
    let workers = WorkerPool(threadCount: threads)
    var leftOut: [DatasetError] = []
    var (packer, remarks, turned) = try packer(workers, reporter, &leftOut)
    while true {
      let damaged = try write(packer, workers, reporter)
      if let other = (damaged.training + damaged.test).first(where: { !$0.error.isOfDamage }) { throw other.error }
      if damaged.training.isEmpty && damaged.test.isEmpty { break }
      leftOut += (damaged.training + damaged.test).map(\.error)
      packer.training = RemainingImages(packer.training, without: Set(damaged.training.map(\.index)))
      packer.test = packer.test.map { RemainingImages($0, without: Set(damaged.test.map(\.index))) }
      if packer.test?.count == 0 { packer.test = nil }
      guard packer.training.count > 0 else { throw InputError("all images are damaged; the first: \(leftOut[0])") }
    }
    reporter.clear()
    for error in leftOut { reporter.log.warning("left out \(error.location): \(error.problem)") }
    let unused = Set(leftOut.map(\.location))
    turned.removeAll(where: unused.contains)
    if !turned.isEmpty {
      remarks.append("Rotated \(ProgressFormat.count(turned.count, of: "image")) according to EXIF")
    }
    reporter.message(try summary(packer, leftOut: leftOut.count, remarks))
  }

  private func write(
    _ packer: ImagePacker, _ workers: WorkerPool, _ reporter: RunReporter
  ) throws -> (training: [DamagedImage], test: [DamagedImage]) {
    var progress = PackProgress(count: packer.count)
    return try packer.write(to: output, workers: workers, stopsAtDamage: !skipsDamaged) { done in
      progress.show(done: done, on: reporter)
    }
  }

  private func summary(_ packer: ImagePacker, leftOut: Int, _ remarks: [String]) throws(FileError) -> String {
    let shape = packer.training.imageShape.map(String.init).joined(separator: "x")
    let classes = packer.training.classNames
    let tests = packer.test.map { " and \(ProgressFormat.count($0.count)) test" } ?? ""
    return "Packed \(ProgressFormat.count(packer.training.count)) training\(tests) images of \(shape), "
      + (classes.isEmpty
        ? "no classes" : classes.count == 1 ? "1 class" : "\(ProgressFormat.count(classes.count)) classes")
      + (leftOut > 0 ? ", \(ProgressFormat.count(leftOut, of: "unusable image")) left out" : "")
      + ", into \(output) (\(try sizeText(of: output))).\n"
      + (classes.isEmpty ? "" : "Classes: \(ClassNames.list(classes)).\n")
      + remarks.map { "\($0).\n" }.joined()
      + "To train on it: --set data.name=hdf5 --set data.path=\(output)"
  }

  // MARK: What is packed

  /// All sources, converted to one shape and one list of classes, with remarks on their contents.
  private func packer(
    _ workers: WorkerPool, _ reporter: RunReporter, _ leftOut: inout [DatasetError]
  ) throws -> (ImagePacker, remarks: [String], turned: [String]) {
    func source(_ argument: String) throws -> PackSource {
      try PackSource(argument, subfoldersAreClasses: subfoldersAreClasses)
    }
    let sources = try sources.map(source)
    let training = try sources.map { try part($0.path, $0.open(.training), workers, &leftOut) }
    let testSources = try tests.isEmpty ? sources.filter { try $0.holdsTests() } : tests.map(source)
    let classNames = try joinedClassNames(training)
    let test = try testSources.map { try part($0.path, $0.openTests(classNames: classNames), workers, &leftOut) }

    let parts = training + test
    try checkOptions(parts)
    let channels = fitting.channels ?? (parts.contains(where: \.isInColour) ? 3 : 1)
    func images(_ part: Part) throws -> any ImageDataset { try self.images(part, channels, workers) }
    let trainingImages = try join(training.map(images), training, classNames)
    let testImages = try test.isEmpty ? nil : join(test.map(images), test, classNames)
    if let testImages, testImages.imageShape != trainingImages.imageShape {
      throw differentShapes(test[0], testImages, training[0], trainingImages)
    }
    if let size = fitting.side {
      let count = parts.map { $0.countSmaller(than: size) }.reduce(0, +)
      if count > 0 {
        reporter.log.warning(
          "\(ProgressFormat.count(count, of: "image")) smaller than \(size)x\(size) will be enlarged")
      }
    }
    var ownName = withoutEnding(lastPart(ofPath: output))
    if training.count == 1, case .images(let images) = training[0].contents { ownName = images.name }
    let packer = ImagePacker(
      name: name ?? ownName, training: trainingImages, test: testImages,
      allowsFlips: allowsFlips ?? trainingImages.allowsFlips)
    return (packer, remarks(of: parts) + withoutImages(trainingImages), turned: parts.flatMap(\.turnedFiles))
  }

  /// Rejects options that would have no effect.
  private func checkOptions(_ parts: [Part]) throws {
    let reader = fitting.reader
    let options = [
      fitting.background.map { "--background \($0.rawValue)" },
      reader.turning == .upright ? nil : "--orientation as-stored",
      reader.pixelLimit == ImageReader.usualPixelLimit ? nil : "--pixel-limit \(reader.pixelLimit)",
    ]
    guard let option = options.compactMap(\.self).first, parts.allSatisfy(\.headers.isEmpty) else { return }
    throw InputError("\(option) applies to image files, but no source is a folder of them; remove it")
  }

  /// One line for each source with remarks.
  private func remarks(of parts: [Part]) -> [String] {
    var lines: [String] = []
    for part in parts where !part.remarks.isEmpty {
      let line = "From \(part.source): \(part.remarks.joined(separator: "; "))"
      if !lines.contains(line) { lines.append(line) }
    }
    return lines
  }

  /// The classes without images.
  private func withoutImages(_ images: JoinedImages) -> [String] {
    var counts = [Int](repeating: 0, count: images.classNames.count)
    for index in 0..<images.count { if let label = images.label(of: index) { counts[label] += 1 } }
    let names = zip(images.classNames, counts).filter { $0.1 == 0 }.map(\.0)
    return names.isEmpty ? [] : ["Without training images: \(ClassNames.list(names))"]
  }

  /// A source's images, with the headers of its files.
  private struct Part {
    let source: String
    var contents: PackSource.Contents
    var headers: [ImageHeader] = []

    var isInColour: Bool {
      switch contents {
      case .folder: headers.contains { !$0.isGrey }
      case .images(let images): images.channels == 3
      }
    }

    var turnedFiles: [String] {
      guard case .folder(let folder) = contents else { return [] }
      return zip(folder.files, headers).filter(\.1.isTurned).map(\.0.path)
    }

    var classNames: [String] {
      switch contents {
      case .folder(let folder): folder.classNames
      case .images(let images): images.classNames
      }
    }

    var remarks: [String] {
      switch contents {
      case .folder(let folder): folder.remarks
      case .images(let images): images.remarks
      }
    }

    func countSmaller(than size: Int) -> Int {
      switch contents {
      case .folder: headers.count { min($0.width, $0.height) < size }
      case .images(let images): min(images.width, images.height) < size ? images.count : 0
      }
    }
  }

  /// Reads the header of every file of a folder.
  private func part(
    _ source: String, _ contents: PackSource.Contents, _ workers: WorkerPool, _ leftOut: inout [DatasetError]
  ) throws -> Part {
    guard case .folder(let folder) = contents else { return Part(source: source, contents: contents) }
    if !skipsDamaged, let problem = folder.problems.first { throw problem }
    let headers = folder.headers(by: fitting.reader, workers: workers)
    guard skipsDamaged else {
      return Part(source: source, contents: contents, headers: try headers.map { try $0.get() })
    }
    var unusable = folder.problems
    var damaged: Set<Int> = []
    for (number, header) in headers.enumerated() {
      guard case .failure(let error) = header else { continue }
      guard error.isOfDamage else { throw error }
      damaged.insert(number)
      unusable.append(error)
    }
    guard damaged.count < folder.files.count else {
      throw InputError("\(source): all images are unusable; the first: \(unusable[0])")
    }
    leftOut += unusable
    return Part(
      source: source, contents: .folder(folder.leavingOut(damaged)), headers: headers.compactMap { try? $0.get() })
  }

  private func images(_ part: Part, _ channels: Int, _ workers: WorkerPool) throws -> any ImageDataset {
    switch part.contents {
    case .folder(let folder):
      var fitting = fitting
      fitting.channels = channels
      return try FolderImages(folder, fitting: fitting, headers: part.headers, workers: workers)
    case .images(let images):
      return fitting.side == nil && channels == images.channels
        ? images : FittedImages(images, side: fitting.side, channels: channels)
    }
  }

  /// The combined classes of all sources: unchanged if all have the same, otherwise sorted by name.
  private func joinedClassNames(_ parts: [Part]) throws -> [String] {
    let lists = parts.map(\.classNames)
    guard let without = lists.firstIndex(of: []), !lists.allSatisfy(\.isEmpty) else { return ClassNames.union(lists) }
    throw InputError("\(parts[without].source) has no classes, but another source has; pack them separately")
  }

  private func join(_ images: [any ImageDataset], _ parts: [Part], _ classNames: [String]) throws -> JoinedImages {
    if let other = images.indices.first(where: { images[$0].imageShape != images[0].imageShape }) {
      throw differentShapes(parts[other], images[other], parts[0], images[0])
    }
    guard let joined = JoinedImages(images, classNames: classNames) else {
      let list = classNames.isEmpty ? "none" : classNames.joined(separator: ", ")
      throw InputError(
        "\(parts.map(\.source).joined(separator: ", ")): the classes must be those of the training images (\(list))")
    }
    return joined
  }

  private func differentShapes(
    _ part: Part, _ images: any ImageDataset, _ first: Part, _ firstImages: any ImageDataset
  ) -> InputError {
    func text(_ images: any ImageDataset) -> String { "\(images.width)x\(images.height)" }
    return InputError(
      "\(part.source) has images of \(text(images)) pixels, but \(first.source) has \(text(firstImages)); "
        + "use --size N to resize all of them to squares of N pixels")
  }
}
