import Foundation

/// Where programs keep what they can fetch or compute again (XDG Base Directory Specification).
public enum CacheFolder {
  /// `XDG_CACHE_HOME`, which must be absolute to count, else `~/.cache`.
  public static func shared(
    environment: [String: String] = ProcessInfo.processInfo.environment, home: String = NSHomeDirectory()
  ) -> String {
    let chosen = environment["XDG_CACHE_HOME"] ?? ""
    return chosen.hasPrefix("/") ? chosen : "\(home)/.cache"
  }

  /// This program's own.
  public static func ours(
    environment: [String: String] = ProcessInfo.processInfo.environment, home: String = NSHomeDirectory()
  ) -> String {
    shared(environment: environment, home: home) + "/ddpm-mpi"
  }
}
