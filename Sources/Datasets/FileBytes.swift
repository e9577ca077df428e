import Glibc

/// The bytes of a file; a file that gzip has compressed is unpacked.
/// - Throws: `DatasetError` (`missing`, `unreadable`).
func readFile(_ path: String) throws -> [UInt8] {
  let bytes = try readBytes(path)
  return bytes.starts(with: [0x1f, 0x8b]) ? try unpack(bytes, path: path) : bytes
}

func fileExists(_ path: String) -> Bool { access(path, F_OK) == 0 }

private func unpack(_ bytes: [UInt8], path: String) throws -> [UInt8] {
  throw DatasetError(.unreadable, path, "is compressed by gzip", advice: "unpack it with `gunzip`")
}

private func readBytes(_ path: String) throws -> [UInt8] {
  guard let file = fopen(path, "rb") else {
    let reason = errno
    let kind: DatasetError.Kind = reason == ENOENT ? .missing : .unreadable
    throw DatasetError(
      kind, path, "cannot be opened: \(String(cString: strerror(reason)))",
      advice: "check the path and who may read it")
  }
  defer { fclose(file) }
  var information = stat()
  guard fstat(fileno(file), &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
    throw DatasetError(.unreadable, path, "is no ordinary file", advice: "check the path")
  }
  let size = Int(information.st_size)
  let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialised in
    initialised = fread(buffer.baseAddress, 1, size, file)
  }
  guard bytes.count == size else {
    throw DatasetError(
      .unreadable, path, "only \(bytes.count) of \(size) bytes could be read", advice: "check the disk it lies on")
  }
  return bytes
}
