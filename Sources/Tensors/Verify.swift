/// Ends the program with a message if a caller violates a precondition.
///
/// Modules compiled with `-Ounchecked` assume that their own `precondition`s hold; this check always runs.
@inlinable
@inline(__always)
package func verify(_ condition: Bool, _ message: @autoclosure () -> String) {
  if !condition { fail(message()) }
}

@inline(never)
@usableFromInline
func fail(_ message: String) -> Never { fatalError(message) }

/// An index, if it is below `count`; `verify` in loops, with little code.
@inlinable
@inline(__always)
func verified(_ index: Int, of count: Int) -> Int {
  if UInt(bitPattern: index) >= UInt(bitPattern: count) { failIndex(index, count) }
  return index
}

/// The index of the first of some elements, if all of them are below `count`.
@inlinable
@inline(__always)
func verified(_ index: Int, _ elements: Int, of count: Int) -> Int {
  if index < 0 || index > count &- elements { failIndex(index, count) }
  return index
}

@inline(never)
@usableFromInline
func failIndex(_ index: Int, _ count: Int) -> Never { fail("element \(index) of \(count)") }
