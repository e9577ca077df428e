import Configuration
import Diffusion
import Interchange

/// A diffusers scheduler's description of the process that a network was trained for.
protocol ProcessMapping: Sendable {
  /// `scheduler/scheduler_config.json`.
  func file() throws(DiffusionError) -> [String: JSONValue]
  func apply(to configuration: inout RunConfiguration)
}

/// - Throws: `ExportRefusal` for a process that no scheduler supports.
func processMapping(_ configuration: RunConfiguration) throws -> any ProcessMapping {
  if let mapping = try EDMSchedulerMapping(configuration) { return mapping }
  return try SchedulerMapping(configuration)
}

/// - Throws: `InterchangeError` naming the key that is not supported.
func processMapping(_ file: ComponentFile) throws(InterchangeError) -> any ProcessMapping {
  if let mapping = try EDMSchedulerMapping(file) { return mapping }
  return try SchedulerMapping(file)
}
