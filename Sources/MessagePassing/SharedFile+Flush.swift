import Glibc

// From memory to the disk.
extension SharedFile {
  /// Returns when everything that the ranks have written to a file is on the disk; they have closed it. Collective.
  ///
  /// With `MPI_File_sync` every rank would flush the file, and the servers of a parallel file system would have to
  /// answer each. Anything that the MPI library had held back was written when the file was closed (MPI 3.1, section
  /// 13.2.2).
  ///
  /// - Throws: `SharedFileError`, possibly on this rank alone.
  package static func flush(_ path: String, communicator: Communicator) throws(SharedFileError) {
    let flushes: Bool
    do throws(MPIError) { flushes = try flushesForHost(path, communicator: communicator) } catch {
      throw SharedFileError(path: path, call: error.call, message: error.message)
    }
    guard flushes else { return }
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path, "open", "cannot be opened") }
    defer { Glibc.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure(path, "fsync", "cannot be flushed to disk") }
  }

  /// Whether this rank is the one of its host that flushes a file, or the files of a folder, for all, since they write
  /// through the same cache. Collective.
  package static func flushesForHost(_ path: String, communicator: Communicator) throws(MPIError) -> Bool {
    let cache = cacheIdentifier(of: path, rank: communicator.rank)
    return try communicator.allGather(cache).firstIndex(of: cache) == communicator.rank
  }

  /// Identifies the cache through which this rank sees a file: that of all ranks with the same kernel and the same
  /// mounted file system. If the kernel is unknown, the rank is taken to have a cache of its own.
  private static func cacheIdentifier(of path: String, rank: Int) -> Int {
    var status = stat()
    guard stat(path, &status) == 0, let kernel = kernelIdentifier else { return rank }
    // FNV-1a (draft-eastlake-fnv, section 2), whose 64 bits are enough to tell all hosts of a job apart.
    let hash = "\(kernel) \(status.st_dev)".utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return Int(truncatingIfNeeded: hash)
  }

  /// A random number of the running kernel, with the host's name, since a copied virtual machine keeps the number; nil
  /// if there is none.
  private static let kernelIdentifier: String? = {
    let descriptor = Glibc.open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { Glibc.close(descriptor) }
    var number = [CChar](repeating: 0, count: 64)
    var host = [CChar](repeating: 0, count: 256)
    guard Glibc.read(descriptor, &number, number.count - 1) > 0, gethostname(&host, host.count - 1) == 0 else {
      return nil
    }
    return "\(string(from: number)) \(string(from: host))"
  }()

  private static func failure(_ path: String, _ call: String, _ problem: String) -> SharedFileError {
    SharedFileError(path: path, call: call, message: "\(problem): \(String(cString: strerror(errno)))")
  }
}
