@preconcurrency import Foundation

/// Standard output, where a command's results go: what does not arrive there is an error.
public enum StandardOutput {
  /// Makes sure that standard input, output and error are taken. Of one that is closed the number would go to the first
  /// file that is opened, and text would be written into that file.
  public static func takeStandardDescriptors() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      // It gets the lowest number that is free, this one; and writing to it fails, as it would have.
      _ = open("/dev/null", O_RDONLY)
    }
  }

  /// Writes text at once, after what was printed before.
  public static func write(_ text: String) {
    fputs(text, stdout)
    fflush(stdout)
  }

  /// Writes what is still kept back.
  /// - Throws: `FileError` if any of what was written or printed so far has been lost.
  public static func flush() throws(FileError) {
    errno = 0
    let isFlushed = fflush(stdout) == 0
    guard isFlushed, ferror(stdout) == 0 else {
      let reason = errno == 0 ? "some of the text is lost" : String(cString: strerror(errno))
      throw FileError(cannot: "write to", "standard output", reason: reason, kind: .other)
    }
  }
}
