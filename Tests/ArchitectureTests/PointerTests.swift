import Testing

/// Few modules use pointers. All others use tensors, buffers and arrays, which know their sizes and keep their memory
/// alive.
struct PointerTests {
  /// Folders and files whose code may use pointers, and why.
  static let allowed = [
    "Sources/Tensors": "owns the memory",
    "Sources/MicroKernels": "vectors at addresses",
    "Sources/Kernels": "loops over numbers",
    "Sources/Spectra": "loops over numbers",
    "Sources/Inception/Kernels": "loops over numbers",
    "Sources/MessagePassing": "calls MPI",
    "Sources/HDF5": "calls libhdf5",
    "Sources/Compression": "calls zlib",
    "Sources/Images": "calls libpng and libjpeg",
    "Sources/Interchange": "calls libzip, and parses bytes of files",
    "Sources/Reports": "parses bytes of files",
    "Sources/Files": "calls the system",
    "Sources/ForeignFiles": "calls the system",
    "Sources/Threads": "calls pthreads",
    "Sources/Configuration/YAML/YAMLComposer.swift": "calls libyaml",
    "Sources/FeatureNetworks/EmbeddedClassifier.swift": "has weights that are an array in C",
  ]

  @Test func pointersAreUsedOnlyInTheListedFolders() throws {
    // `withUnsafeBytes` and similar functions are allowed, since their pointers do not leave the closure.
    let pattern = /\bUnsafe(?:Mutable)?(?:Raw)?(?:Buffer)?Pointer\b|\.(?:pointer|baseAddress)\b/
    var used: Set<String> = []
    for file in Package.swiftFiles(in: "Sources") {
      let location = Self.allowed.keys.first { file == $0 || file.hasPrefix("\($0)/") }
      guard let match = try Package.text(file).firstMatch(of: pattern) else { continue }
      #expect(location != nil, "\(file) has \(match.0)")
      if let location { used.insert(location) }
    }
    #expect(used == Set(Self.allowed.keys), "folders that need no addresses any more")
  }
}
