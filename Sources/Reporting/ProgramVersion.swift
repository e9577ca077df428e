/// The program's version; ranks compare it before they work together.
package enum ProgramVersion {
  package static let current = "0.1.0"
}
