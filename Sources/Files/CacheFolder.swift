import FoundationEssentials

/// The folder for data that can be downloaded or computed again (XDG Base Directory Specification).
package enum CacheFolder {
  /// `XDG_CACHE_HOME` if it is an absolute path, otherwise `~/.cache`.
  package static func shared(
    environment: [String: String] = ProcessInfo.processInfo.environment, home: String = URL.homeDirectory.path
  ) -> String {
    let chosen = environment["XDG_CACHE_HOME"] ?? ""
    return chosen.hasPrefix("/") ? chosen : "\(home)/.cache"
  }

  /// The subfolder of this program.
  package static func ours(
    environment: [String: String] = ProcessInfo.processInfo.environment, home: String = URL.homeDirectory.path
  ) -> String {
    shared(environment: environment, home: home) + "/ddpm-mpi"
  }
}
