/// The program's version; ranks compare it before they work together.
public enum ProgramVersion {
  public static let current = "0.1.0"
}
