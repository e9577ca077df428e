// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The processor the kernels are compiled for: the building machine's, or DDPM_MARCH (x86-64-v3, znver4, neoverse-v2, …).
// Swift's code generator follows the C compiler's flag. This file is compiled for the building machine; a build for
// another architecture names it in DDPM_ARCHITECTURE (arm64, x86_64), and has no machine to be native to.
#if arch(arm64)
  let buildingArchitecture = "arm64"
#else
  let buildingArchitecture = "x86_64"
#endif
let environment = ProcessInfo.processInfo.environment
let architecture = environment["DDPM_ARCHITECTURE"] ?? buildingArchitecture
let isArm = architecture == "arm64"
let targetProcessor =
  environment["DDPM_MARCH"] ?? (architecture == buildingArchitecture ? "native" : isArm ? "generic" : "x86-64-v3")
let processorFlag = isArm ? "-mcpu=\(targetProcessor)" : "-march=\(targetProcessor)"

// Vectors as wide as the target processor has. Square roots need not set errno: else they are made one by one.
let wideVectors: [SwiftSetting] = [.unsafeFlags(["-Xcc", processorFlag, "-Xcc", "-fno-math-errno"])]

// Numeric code: wide vectors, and no overflow or bounds checks.
let numericCode: [SwiftSetting] = wideVectors + [.unsafeFlags(["-Ounchecked"], .when(configuration: .release))]

/// Whether pkg-config knows a module.
func isInstalled(_ module: String) -> Bool {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["pkg-config", "--exists", module]
  process.standardError = FileHandle.nullDevice
  guard (try? process.run()) != nil else { return false }
  process.waitUntilExit()
  return process.terminationStatus == 0
}

/// The names that pkg-config has for the MPI library and for the HDF5 built with it. Debian names HDF5 for its MPI;
/// elsewhere it may have the plain name.
func modules(ofMPI family: String) -> (mpi: String, hdf5: [String]) {
  switch family {
  case "openmpi": return ("ompi-c", ["hdf5-openmpi", "hdf5"])
  case "mpich": return ("mpich", ["hdf5-mpich", "hdf5"])
  // The ABI of MPI 5. HDF5 is built without MPI, since none is built with this ABI.
  case "abi": return ("mpi-abi", ["hdf5-serial", "hdf5"])
  default:
    let names = family.split { $0 == " " || $0 == "," }.map(String.init)
    guard names.count == 2 else {
      fatalError("DDPM_MPI is \(family); it must be openmpi, mpich, abi, or pkg-config's names of MPI and of HDF5")
    }
    return (names[0], [names[1]])
  }
}

// DDPM_MPI chooses the MPI library: openmpi, mpich, abi, or the two names themselves, as in "impi hdf5". Without it,
// Open MPI is taken, or MPICH if that is there alone.
let namedMPI = ProcessInfo.processInfo.environment["DDPM_MPI"] ?? ""
let hasOnlyMPICH = namedMPI.isEmpty && !isInstalled("ompi-c") && isInstalled("mpich")
let mpiFamily = namedMPI.isEmpty ? (hasOnlyMPICH ? "mpich" : "openmpi") : namedMPI
let mpiModules = modules(ofMPI: mpiFamily)
let hdf5Module = mpiModules.hdf5.first(where: isInstalled) ?? mpiModules.hdf5[0]
let mpiPackages = mpiFamily == "mpich" ? ["libmpich-dev", "mpich"] : ["libopenmpi-dev", "openmpi-bin"]
let hdf5Package = ["openmpi": "libhdf5-openmpi-dev", "mpich": "libhdf5-mpich-dev"][mpiFamily] ?? "libhdf5-dev"

// exp, log and the like, from swift-numerics.
let realModule = Target.Dependency.product(name: "RealModule", package: "swift-numerics")

let package = Package(
  name: "ddpm-mpi",
  products: [.executable(name: "ddpm-mpi", targets: ["ddpm-mpi"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.0"),
    // The order of its traits in the compiler's arguments varies, so with them every build would compile it anew.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    // For tests only.
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // System libraries: a module map and a shim header each.
    .systemLibrary(name: "CMPI", pkgConfig: mpiModules.mpi, providers: [.apt(mpiPackages)]),
    .systemLibrary(name: "CHDF5", pkgConfig: hdf5Module, providers: [.apt([hdf5Package])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-serial-dev"])]),

    // What the kernels were compiled for, and the check at start that this processor has it.
    .target(
      name: "CBuildTarget",
      cSettings: [.unsafeFlags([processorFlag]), .define("DDPM_TARGET_PROCESSOR", to: targetProcessor)]),
    // build_selector.c is a program of its own, which scripts/install.sh compiles.
    .target(name: "CProcessor", dependencies: ["CBuildTarget"], exclude: ["build_selector.c"]),

    // The innermost products for each kind of processor, all of them in every build; and vectors, whose width is the
    // build's.
    .target(name: "CMicroKernels", dependencies: ["CBuildTarget"]),
    .target(
      name: "MicroKernels", dependencies: ["CBuildTarget", "CMicroKernels", "CProcessor", "Tensors"],
      swiftSettings: numericCode),

    // The command line, wherever the environment is.
    .target(name: "CArguments"),

    // Keeps the program from needing a newer C library than it must.
    .target(name: "COldGlibc"),

    // A system call that Swift does not see.
    .target(name: "CFileSpace"),

    // The weights of a classifier, which the program carries in itself.
    .target(
      name: "CFashionMNISTClassifier", exclude: ["weights"], cSettings: [.headerSearchPath("weights")]),

    // The only code that is compiled for one MPI library.
    .target(
      name: "CMessagePassing", dependencies: ["CMPI"],
      cSettings: mpiFamily == "abi" ? [.define("MPI_ABI")] : []),

    // Sockets, whose addresses and options Swift sees as bytes.
    .target(name: "CHostLinks"),

    // What must be written in C: libjpeg and libpng leave errors by longjmp.
    .target(name: "CJPEGDecoder", dependencies: ["CJPEG"]),
    .target(name: "CPNGDecoder", dependencies: ["CPNG"]),

    // Texts with numbers and columns.
    .target(name: "TextFormatting"),
    // What errors say of the job that they end.
    .target(name: "Failures"),
    // What reads and writes files: regular ones only, whole or not at all.
    .target(name: "Files", dependencies: ["CFileSpace", "Failures", "Threads"]),

    // What threads share and wait for, and threads beside the computation.
    .target(name: "Threads", dependencies: ["CProcessor"]),

    .target(name: "Tensors", dependencies: ["CProcessor", realModule, "Threads"]),
    .target(name: "Spectra", dependencies: ["CBuildTarget", realModule, "Tensors"], swiftSettings: numericCode),
    .target(
      name: "Kernels", dependencies: ["CProcessor", "MicroKernels", realModule, "Tensors"],
      swiftSettings: numericCode),
    .target(name: "Differentiation", dependencies: ["Kernels", "Tensors"]),
    .target(name: "Diffusion", dependencies: ["Failures", realModule, "Tensors"]),
    .target(name: "Network", dependencies: ["Differentiation", "Diffusion", "Kernels", realModule, "Tensors"]),
    .target(name: "Inception", dependencies: ["Kernels", "MicroKernels", "Tensors"], swiftSettings: numericCode),
    .target(
      name: "Optimisation", dependencies: ["MicroKernels", realModule, "Tensors"], swiftSettings: wideVectors),
    .target(
      name: "MessagePassing", dependencies: ["CFileSpace", "CHostLinks", "CMessagePassing", "Failures", "Tensors"]),
    .target(name: "Compression", dependencies: ["CZlib", "Failures", "Files"]),
    .target(name: "ForeignFiles", dependencies: ["Failures", "Files"]),
    .target(name: "HDF5", dependencies: ["CHDF5", "Compression", "Failures", "Files", "Tensors"]),
    .target(name: "Images", dependencies: ["CJPEGDecoder", "Compression", "CPNG", "CPNGDecoder", "Failures", "Files"]),
    .target(name: "FieldPictures", dependencies: ["Failures", "Images", realModule, "Tensors", "TextFormatting"]),
    .target(name: "Interchange", dependencies: ["CZip", "Failures", "Files", "TextFormatting"]),
    .target(
      name: "Evaluation",
      dependencies: ["COpenBLAS", "Failures", "Interchange", "Kernels", "MessagePassing", realModule, "Tensors"]),
    .target(name: "FieldMeasures", dependencies: ["Failures", "MessagePassing", "Spectra", "Tensors"]),
    .target(
      name: "TensorBoard", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Protobuf/tensorboard_events.proto"]),
    .target(
      name: "Datasets",
      dependencies: [
        "Compression", "Failures", "Files", "ForeignFiles", "HDF5", "Images", "Interchange", realModule, "Spectra",
        "Tensors", "TextFormatting", "Threads",
      ]),
    .target(
      name: "Checkpoints",
      dependencies: ["Compression", "Failures", "Files", "HDF5", "MessagePassing", "Tensors"]),
    // Progress and messages on the console, and a run's own records.
    .target(
      name: "Reporting",
      dependencies: ["Files", realModule, "TextFormatting", .product(name: "Logging", package: "swift-log")]),
    // What every command of many ranks needs: room on processors and memory, shared outputs, ending together.
    .target(
      name: "Ranks",
      dependencies: [
        "Failures", "Files", "HDF5", "MessagePassing", "MicroKernels", "Reporting", "Tensors", "TextFormatting",
      ]),
    .target(
      name: "Configuration",
      dependencies: [
        "CYAML", "Datasets", "Diffusion", "Failures", "Files", "Images", "Kernels", "Network", "Optimisation", "Ranks",
        "Reporting", "Tensors", "TextFormatting",
      ]),
    .target(
      name: "Packing",
      dependencies: ["Datasets", "Failures", "Files", "Images", "MessagePassing", "Ranks", "Reporting", "Tensors"]),
    .target(
      name: "FeatureNetworks",
      dependencies: [
        "CFashionMNISTClassifier", "Compression", "Configuration", "Differentiation", "Diffusion", "Failures", "Files",
        "Inception", "Interchange", "Network", "Tensors", "TextFormatting",
      ]),
    .target(
      name: "Inference",
      dependencies: [
        "Checkpoints", "Compression", "Configuration", "Datasets", "Diffusion", "Evaluation", "Failures",
        "FeatureNetworks", "FieldMeasures", "FieldPictures", "Files", "ForeignFiles", "HDF5", "Images", "Interchange",
        "MessagePassing", "Network", realModule, "Ranks", "Reporting", "Tensors", "TextFormatting",
      ]),
    // How ranks share a step: who has which micro-batches and owns what, what moves between them, and the step itself.
    .target(
      name: "DataParallel",
      dependencies: [
        "Checkpoints", "Configuration", "Differentiation", "Diffusion", "Failures", "Kernels", "MessagePassing",
        "Network", "Optimisation", "Ranks", "Tensors", "Threads",
      ]),
    .target(
      name: "Training",
      dependencies: [
        "Checkpoints", "Configuration", "DataParallel", "Datasets", "Differentiation", "Diffusion", "Failures",
        "FeatureNetworks", "Files", "HDF5", "Images", "Inference", "Kernels", "MessagePassing", "Network", "Ranks",
        "Reporting", "TensorBoard", "Tensors", "Threads",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "Reports",
      dependencies: ["Configuration", "Failures", "Files", "Images", realModule, "Reporting", "TextFormatting"],
      resources: [.embedInCode("Page/report.css"), .embedInCode("Page/report.js")]),
    .target(
      name: "Benchmarking",
      dependencies: [
        "Configuration", "DataParallel", "Differentiation", "Diffusion", "Failures", "Kernels", "MessagePassing",
        "MicroKernels", "Network", realModule, "Ranks", "Reporting", "Tensors", "TextFormatting", "Threads", "Training",
      ]),
    .target(
      name: "Diffusers",
      dependencies: [
        "Checkpoints", "Configuration", "DataParallel", "Datasets", "Diffusion", "Failures", "Files", "Inference",
        "Interchange", "MessagePassing", "Network", "Ranks", "Reporting", "Tensors", "Training",
      ]),
    .executableTarget(
      name: "ddpm-mpi",
      dependencies: [
        "Benchmarking", "CArguments", "Checkpoints", "COldGlibc", "Configuration", "DataParallel", "Datasets",
        "Diffusers", "Diffusion", "Failures", "FeatureNetworks", "Files", "ForeignFiles", "HDF5", "Images", "Inference",
        "Kernels", "MessagePassing", "MicroKernels", "Packing", "Ranks", "Reporting", "Reports", "TextFormatting",
        "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Folders, files and random numbers for tests.
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .testTarget(name: "ArchitectureTests"),
    // The built program, with or without mpirun.
    .testTarget(
      name: "ProgramTests",
      dependencies: [
        "Diffusion", "HDF5", "Images", "Interchange", "TestSupport",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]),
    .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport", "Threads"]),
    .testTarget(name: "ThreadsTests", dependencies: ["Threads"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "Threads"]),
    // Tile instructions in plain C, and the kernel of CMicroKernels that is written with them.
    .target(name: "CTileModel", dependencies: ["CBuildTarget", "CMicroKernels"], path: "Tests/CTileModel"),
    // Slow, plain twins of the kernels.
    .target(
      name: "ReferenceKernels",
      dependencies: ["CBuildTarget", "CProcessor", "CTileModel", "Kernels", "MicroKernels", "Tensors"],
      path: "Tests/ReferenceKernels", swiftSettings: numericCode),
    .testTarget(
      name: "MicroKernelsTests",
      dependencies: ["CBuildTarget", "CProcessor", "CTileModel", "Kernels", "MicroKernels", "ReferenceKernels"]),
    .testTarget(
      name: "KernelsTests",
      dependencies: ["Configuration", "Kernels", "MicroKernels", "Network", "ReferenceKernels", "Tensors"]),
    .testTarget(
      name: "DifferentiationTests", dependencies: ["Differentiation", "Kernels", "ReferenceKernels", "Tensors"]),
    .testTarget(
      name: "NetworkTests", dependencies: ["Differentiation", "Diffusion", "HDF5", "Kernels", "Network", "Tensors"],
      exclude: ["Fixtures"]),
    .testTarget(name: "InceptionTests", dependencies: ["Inception", "Kernels", "ReferenceKernels", "Tensors"]),
    .testTarget(
      name: "DiffusionTests", dependencies: ["Diffusion", "HDF5", realModule, "Tensors"], exclude: ["Fixtures"]),
    .testTarget(name: "OptimisationTests", dependencies: ["Optimisation", "Tensors"]),
    .testTarget(
      name: "DatasetsTests",
      dependencies: [
        "Compression", "Datasets", "Files", "HDF5", "Images", "Interchange", realModule, "ReferenceKernels", "Spectra",
        "Tensors", "TestSupport",
      ]),
    .testTarget(
      name: "StorageTests",
      dependencies: [
        "Checkpoints", "Compression", "Failures", "HDF5", "Images", "MessagePassing", "Tensors", "TestSupport",
      ]),
    .testTarget(name: "FieldPicturesTests", dependencies: ["Failures", "FieldPictures", "Images", "Tensors"]),
    .testTarget(name: "InterchangeTests", dependencies: ["Interchange", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(name: "SpectraTests", dependencies: [realModule, "ReferenceKernels", "Spectra", "Tensors"]),
    .testTarget(
      name: "FieldMeasuresTests", dependencies: ["FieldMeasures", realModule, "ReferenceKernels", "Tensors"]),
    .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "Interchange", "ReferenceKernels", "Tensors"]),
    .testTarget(
      name: "FeatureNetworksTests",
      dependencies: ["FeatureNetworks", "Files", "Inception", "Interchange", "TestSupport"]),
    .testTarget(name: "TensorBoardTests", dependencies: ["TensorBoard"]),
    .testTarget(
      name: "ReportsTests", dependencies: ["Configuration", "Files", "Images", "Reporting", "Reports", "TestSupport"]),
    .testTarget(
      name: "ReportingTests",
      dependencies: ["Files", "Reporting", "TestSupport", .product(name: "Logging", package: "swift-log")]),
    .testTarget(name: "RanksTests", dependencies: ["Failures", "MessagePassing", "MicroKernels", "Ranks", "Tensors"]),
    .testTarget(
      name: "DataParallelTests", dependencies: ["DataParallel", "Diffusion", "Optimisation", "Ranks", "Tensors"]),
    .testTarget(
      name: "ConfigurationTests",
      dependencies: [
        "Configuration", "Datasets", "Diffusion", "Failures", "Kernels", "Network", "Optimisation", "Ranks", "Tensors",
        "TestSupport",
      ]),
    .testTarget(
      name: "InferenceTests",
      dependencies: [
        "Configuration", "Datasets", "Diffusion", "FieldMeasures", "Inference", "Reporting", "Tensors",
      ]),
    .testTarget(name: "TrainingTests", dependencies: ["Training"]),
    .testTarget(
      name: "DiffusersTests",
      dependencies: [
        "Configuration", "Diffusers", "Diffusion", "Interchange", "Kernels", "Network", "Tensors", "TestSupport",
      ]),
    .testTarget(
      name: "BenchmarkingTests",
      dependencies: [
        "Benchmarking", "Configuration", "DataParallel", "Differentiation", "Failures", "Network", "Ranks", "Tensors",
      ]),
    // Run under mpirun by scripts/test.sh.
    .executableTarget(
      name: "rank-checks",
      dependencies: [
        "Checkpoints", "Compression", "Configuration", "DataParallel", "Differentiation", "Diffusion", "Evaluation",
        "Failures", "FieldMeasures", "HDF5", "Inference", "Kernels", "MessagePassing", "Network", "Ranks",
        "ReferenceKernels", "Tensors", "Training",
      ],
      path: "Tests/RankChecks"),
    // Run by scripts/test/fuzz.sh.
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "Checkpoints", "Compression", "Configuration", "Datasets", "Diffusers", "Evaluation", "FeatureNetworks",
        "Files", "HDF5", "Images", "Inference", "Interchange", "Network", "Packing", "Reports", "Tensors",
      ],
      path: "Tests/Fuzz", exclude: ["Regressions"]),
    // Run by scripts/test/peers/*.sh beside other programs.
    .executableTarget(
      name: "peer-program",
      dependencies: [
        "Diffusion", "Evaluation", "FeatureNetworks", "FieldMeasures", "HDF5", "Inception", "Inference", "Interchange",
        "MessagePassing", "Optimisation", "ReferenceKernels", "Tensors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/PeerProgram"),
  ],
  swiftLanguageModes: [.v6]
)

// Optimising the tests takes longer than they would save: what they test is optimised. Those that compute much
// themselves are exceptions.
let computingTests: Set = [
  "DataParallelTests", "DifferentiationTests", "DiffusionTests", "FieldMeasuresTests", "KernelsTests", "NetworkTests",
]
for target in package.targets where target.type == .test && !computingTests.contains(target.name) {
  target.swiftSettings = [.unsafeFlags(["-Onone"])]
}
