/// Ends the program with a message where a caller has broken a rule of this code.
///
/// Modules whose loops are compiled with `-Ounchecked` take every `precondition` of their own for granted; this one is
/// checked whoever calls it.
@inline(never)
public func verify(_ condition: Bool, _ message: @autoclosure () -> String) {
  precondition(condition, message())
}
