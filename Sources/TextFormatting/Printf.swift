import Glibc

extension String {
  /// Numbers in the notation of C's `printf`, with a point as the decimal separator: `String(printf: "%.3g", 0.5)`.
  ///
  /// - Parameter format: without `%s` and `%@`, since texts can be interpolated.
  package init(printf format: String, _ arguments: any CVarArg...) {
    let count = withVaList(arguments) { vsnprintf(nil, 0, format, $0) }
    precondition(count >= 0, "\(format) is a format of printf")
    // printf ends the text with a zero.
    var text = [CChar](repeating: 0, count: Int(count) + 1)
    _ = withVaList(arguments) { vsnprintf(&text, text.count, format, $0) }
    self.init(decoding: text.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
