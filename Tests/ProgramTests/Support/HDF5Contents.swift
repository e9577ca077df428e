import HDF5
import Images
import Synchronization

/// The contents of HDF5 files, read by one test at a time, since libhdf5 is not thread-safe.
enum HDF5Contents {
  struct Dataset<Element: HDF5Element>: Sendable {
    let shape: [Int]
    let elements: [Element]

    /// The elements of row `index` along the first dimension.
    subscript(row index: Int) -> ArraySlice<Element> {
      let size = shape.dropFirst().reduce(1, *)
      return elements[index * size..<(index + 1) * size]
    }
  }

  private static let library = Mutex(())

  static func has(_ name: String, in path: String) throws -> Bool {
    try library.withLock { _ in try HDF5File.open(path).exists("/" + name) }
  }

  static func read<Element: HDF5Element>(
    _ name: String, of path: String, as _: Element.Type = Element.self
  ) throws -> Dataset<Element> {
    try library.withLock { _ in
      let file = try HDF5File.open(path)
      let dataset = try file.openDataset("/" + name)
      return Dataset(shape: dataset.shape, elements: try dataset.readAll(as: Element.self))
    }
  }

  static func write<Element: HDF5Element>(
    _ name: String, _ elements: [Element], shape: [Int], to path: String
  ) throws {
    try library.withLock { _ in
      let file = try HDF5File.create(path)
      try file.createDataset(name, shape: shape, type: Element.elementType).writeAll(elements)
    }
  }

  /// An attribute of the file, or nil if it does not exist.
  static func integer(_ name: String, of path: String) throws -> Int64? {
    try library.withLock { _ in
      let file = try HDF5File.open(path)
      return try file.attributeExists(name) ? try file.readAttribute(name, as: Int64.self) : nil
    }
  }

  /// The same for a text.
  static func text(_ name: String, of path: String) throws -> String? {
    try library.withLock { _ in
      let file = try HDF5File.open(path)
      return try file.attributeExists(name) ? try file.readAttribute(name, as: String.self) : nil
    }
  }

  /// The offset of a dataset's elements in the file.
  static func offset(of name: String, in path: String) throws -> Int? {
    try library.withLock { _ in try HDF5File.open(path).openDataset("/" + name).contiguousOffset() }
  }
}

extension Image {
  /// Height, width and channels.
  var shape: [Int] { [height, width, channels] }
}
