// Foundation's own path functions read out of bounds for names of one character.

/// The last part of a path: `c` of `a/b/c` and of `a/b/c/`; empty for `/`.
package func lastPart(ofPath path: String) -> String {
  let bytes = withoutTrailingSlashes(path).utf8
  guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return String(bytes) }
  return String(bytes[bytes.index(after: slash)...]) ?? ""
}

/// The parent of a path's last part: `a/b` of `a/b/c`, `.` of a name alone, `/` of `/a` and of `/`.
package func parentFolder(of path: String) -> String {
  let bytes = withoutTrailingSlashes(path).utf8
  guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
  if slash == bytes.startIndex { return "/" }
  return withoutTrailingSlashes(String(bytes[..<slash]) ?? ".")
}

/// The path of a name in a folder.
package func path(of name: String, in folder: String) -> String {
  folder == "." ? name : folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
}

/// `a` of `a.h5`; a name whose only dot is the first character is unchanged.
package func withoutEnding(_ name: String) -> String {
  guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
  return String(name[..<dot])
}

/// `runs/a` for `runs/a//`.
package func withoutTrailingSlashes(_ path: String) -> String {
  var path = path
  while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.unicodeScalars.removeLast() }
  return path
}
