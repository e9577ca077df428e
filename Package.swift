// swift-tools-version: 6.0
import Foundation
import PackageDescription

// The processor the kernels are compiled for: the building machine's, or DDPM_MARCH (x86-64-v3, znver4, …).
// Swift's code generator follows the C compiler's flag.
let targetProcessor = ProcessInfo.processInfo.environment["DDPM_MARCH"] ?? "native"
#if arch(arm64)
  let processorFlag = "-mcpu=\(targetProcessor)"
#else
  let processorFlag = "-march=\(targetProcessor)"
#endif

// Vectors as wide as the target processor has. Square roots need not set errno: else they are made one by one.
let wideVectors: [SwiftSetting] = [.unsafeFlags(["-Xcc", processorFlag, "-Xcc", "-fno-math-errno"])]

// Numeric code: wide vectors, and no overflow or bounds checks.
let numericCode: [SwiftSetting] = wideVectors + [.unsafeFlags(["-Ounchecked"], .when(configuration: .release))]

// exp, log and the like, from swift-numerics.
let realModule = Target.Dependency.product(name: "RealModule", package: "swift-numerics")

let package = Package(
  name: "ddpm-mpi",
  products: [.executable(name: "ddpm-mpi", targets: ["ddpm-mpi"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    // For tests only.
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // System libraries: a module map and a shim header each.
    .systemLibrary(name: "CMPI", pkgConfig: "ompi-c", providers: [.apt(["libopenmpi-dev", "openmpi-bin"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-openmpi", providers: [.apt(["libhdf5-openmpi-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-serial-dev"])]),

    // What the kernels were compiled for, and the check at start that this processor has it.
    .target(name: "CBuildTarget", cSettings: [.unsafeFlags([processorFlag])]),
    .target(name: "CProcessor", dependencies: ["CBuildTarget"]),

    // The innermost products for each kind of processor, all of them in every build; and vectors, whose width is the
    // build's.
    .target(name: "CMicroKernels", dependencies: ["CBuildTarget"]),
    .target(
      name: "MicroKernels", dependencies: ["CBuildTarget", "CMicroKernels", "CProcessor", "Tensors"],
      swiftSettings: numericCode),

    // Keeps the program from needing a newer C library than it must.
    .target(name: "COldGlibc"),

    // A system call that Swift does not see.
    .target(name: "CFileSpace"),

    // The weights of a classifier, which the program carries in itself.
    .target(
      name: "CFashionMNISTClassifier", exclude: ["weights"], cSettings: [.headerSearchPath("weights")]),

    // What must be written in C: libjpeg and libpng leave errors by longjmp.
    .target(name: "CJPEGDecoder", dependencies: ["CJPEG"]),
    .target(name: "CPNGDecoder", dependencies: ["CPNG"]),

    // Texts with numbers and columns.
    .target(name: "TextFormatting"),
    // What errors say of the job that they end.
    .target(name: "Failures"),
    // What reads and writes files: regular ones only, whole or not at all.
    .target(name: "Files", dependencies: ["CFileSpace", "Failures"]),

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
    .target(name: "MessagePassing", dependencies: ["CMPI", "Failures", "Tensors"]),
    .target(name: "Compression", dependencies: ["CZlib", "Failures", "Files"]),
    .target(name: "ForeignFiles", dependencies: ["Failures", "Files"]),
    .target(
      name: "HDF5", dependencies: ["CHDF5", "CMPI", "Compression", "Failures", "Files", "MessagePassing", "Tensors"]),
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
      dependencies: ["CFileSpace", "Compression", "Failures", "Files", "HDF5", "MessagePassing", "Tensors"]),
    // Progress and messages on the console, and a run's own records.
    .target(
      name: "Reporting", dependencies: ["Files", "TextFormatting", .product(name: "Logging", package: "swift-log")]),
    // What every command of many ranks needs: room on processors and memory, shared outputs, ending together.
    .target(
      name: "Ranks",
      dependencies: ["Failures", "Files", "HDF5", "MessagePassing", "Reporting", "Tensors", "TextFormatting"]),
    .target(
      name: "Configuration",
      dependencies: [
        "Datasets", "Diffusion", "Failures", "Files", "Images", "Kernels", "Network", "Optimisation", "Ranks",
        "Reporting", "Tensors", "TextFormatting",
      ]),
    .target(
      name: "Packing",
      dependencies: ["Datasets", "Failures", "Files", "Images", "MessagePassing", "Reporting", "Tensors"]),
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
        "Checkpoints", "Compression", "Configuration", "DataParallel", "Datasets", "Differentiation", "Diffusion",
        "Failures", "FeatureNetworks", "Files", "HDF5", "Images", "Inference", "Kernels", "MessagePassing", "Network",
        "Ranks", "Reporting", "TensorBoard", "Tensors", "Threads",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "Reports", dependencies: ["Configuration", "Failures", "Files", "Images", "Reporting", "TextFormatting"],
      resources: [.embedInCode("Page/report.css"), .embedInCode("Page/report.js")]),
    .target(
      name: "Benchmarking",
      dependencies: [
        "Configuration", "DataParallel", "Datasets", "Differentiation", "Diffusion", "Failures", "Kernels",
        "MessagePassing", "MicroKernels", "Network", realModule, "Ranks", "Reporting", "Tensors", "TextFormatting",
        "Threads", "Training",
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
        "Benchmarking", "Checkpoints", "COldGlibc", "Configuration", "DataParallel", "Datasets", "Diffusers",
        "Diffusion", "Failures", "FeatureNetworks", "Files", "ForeignFiles", "HDF5", "Images", "Inference", "Kernels",
        "MessagePassing", "MicroKernels", "Packing", "Ranks", "Reporting", "Reports", "TextFormatting", "Training",
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
    .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
    .testTarget(name: "ThreadsTests", dependencies: ["Threads"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
    // Slow, plain twins of the kernels.
    .target(
      name: "ReferenceKernels", dependencies: ["Kernels", "Tensors"], path: "Tests/ReferenceKernels",
      swiftSettings: numericCode),
    .testTarget(
      name: "MicroKernelsTests", dependencies: ["CBuildTarget", "CProcessor", "MicroKernels", "ReferenceKernels"]),
    .testTarget(
      name: "KernelsTests", dependencies: ["Configuration", "Kernels", "Network", "ReferenceKernels", "Tensors"]),
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
        "Compression", "Datasets", "Files", "HDF5", "Images", "Interchange", realModule, "Spectra", "Tensors",
        "TestSupport",
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
    .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "Interchange", "Tensors"]),
    .testTarget(
      name: "FeatureNetworksTests",
      dependencies: ["FeatureNetworks", "Files", "Inception", "Interchange", "TestSupport"]),
    .testTarget(name: "TensorBoardTests", dependencies: ["TensorBoard"]),
    .testTarget(
      name: "ReportsTests", dependencies: ["Configuration", "Files", "Images", "Reporting", "Reports", "TestSupport"]),
    .testTarget(
      name: "ReportingTests",
      dependencies: ["Files", "Reporting", "TestSupport", .product(name: "Logging", package: "swift-log")]),
    .testTarget(name: "RanksTests", dependencies: ["Ranks", "Tensors"]),
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
        "Failures", "FieldMeasures", "HDF5", "Inference", "Kernels", "MessagePassing", "Network", "Ranks", "Tensors",
        "Training",
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
        "MessagePassing", "Optimisation", "Tensors", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/PeerProgram"),
  ],
  swiftLanguageModes: [.v6]
)
