import Files
import Glibc
import MicroKernels

/// The builds for several processors that `scripts/install.sh` has installed together.
package struct InstalledBuilds: Sendable, Equatable {
  /// Such as `/usr/local/libexec/ddpm-mpi`; the build for a processor is `<processor>/ddpm-mpi` in it.
  package let folder: String
  /// What each build needs, by its processor.
  package let features: [String: ProcessorFeatures]

  /// Those that this program is one of; nil if it was not installed so.
  package static var own: InstalledBuilds? {
    guard let path = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(path) }
    return InstalledBuilds(program: String(cString: path))
  }

  /// Those that the program at a path is one of; nil if it was not installed so.
  package init?(program: String) {
    let folder = parentFolder(of: parentFolder(of: program))
    guard lastPart(ofPath: program) == "ddpm-mpi", lastPart(ofPath: folder) == "ddpm-mpi",
      lastPart(ofPath: parentFolder(of: folder)) == "libexec", let names = try? namesInFolder(folder)
    else { return nil }
    self.folder = folder
    features = names.reduce(into: [:]) { builds, name in
      builds[name] = ProcessorFeatures(ofBuildAt: "\(folder)/\(name)/ddpm-mpi")
    }
  }
}
