/// Ends the program with a message if a caller violates a precondition.
///
/// Modules compiled with `-Ounchecked` assume that their own `precondition`s hold; this check always runs.
@inline(never)
public func verify(_ condition: Bool, _ message: @autoclosure () -> String) {
  precondition(condition, message())
}
