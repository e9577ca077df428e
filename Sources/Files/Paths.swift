// Foundation's own functions on paths read beyond names of one character.

/// The last part of a path: `c` of `a/b/c` and of `a/b/c/`; empty for `/`.
public func lastPart(ofPath path: String) -> String {
  let bytes = withoutTrailingSlashes(path).utf8
  guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return String(bytes) }
  return String(bytes[bytes.index(after: slash)...]) ?? ""
}

/// What a path's last part is in: `a/b` of `a/b/c`, `.` of a name alone, `/` of `/a` and of `/`.
public func parentFolder(of path: String) -> String {
  let bytes = withoutTrailingSlashes(path).utf8
  guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
  if slash == bytes.startIndex { return "/" }
  return withoutTrailingSlashes(String(bytes[..<slash]) ?? ".")
}

/// A name's path in a folder.
public func path(of name: String, in folder: String) -> String {
  folder == "." ? name : folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
}

/// `a` of `a.h5`; a name that only begins with a dot stays.
public func withoutEnding(_ name: String) -> String {
  guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
  return String(name[..<dot])
}

/// `runs/a` for `runs/a//`.
public func withoutTrailingSlashes(_ path: String) -> String {
  var path = path
  while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.unicodeScalars.removeLast() }
  return path
}
