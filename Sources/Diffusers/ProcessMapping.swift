import Configuration
import Diffusion
import Interchange

/// A diffusers scheduler's description of the process that a network was trained for.
enum ProcessMapping: Equatable, Sendable {
  case steps(SchedulerMapping)
  case edm(EDMSchedulerMapping)

  /// - Throws: `ExportRefusal` for a process that no scheduler supports.
  init(_ configuration: RunConfiguration) throws {
    if let mapping = try EDMSchedulerMapping(configuration) {
      self = .edm(mapping)
    } else {
      self = .steps(try SchedulerMapping(configuration))
    }
  }

  /// - Throws: `InterchangeError` naming the key that is not supported.
  init(_ file: ComponentFile) throws(InterchangeError) {
    if let mapping = try EDMSchedulerMapping(file) {
      self = .edm(mapping)
    } else {
      self = .steps(try SchedulerMapping(file))
    }
  }

  /// `scheduler/scheduler_config.json`.
  func file() throws(DiffusionError) -> [String: JSONValue] {
    switch self {
    case .steps(let mapping): try mapping.file()
    case .edm(let mapping): mapping.file
    }
  }

  /// Whether `DDPMPipeline` supports it: it has no scaled inputs, and no noise other than N(0, I).
  var suitsPipeline: Bool { if case .steps = self { true } else { false } }

  func apply(to configuration: inout RunConfiguration) {
    switch self {
    case .steps(let mapping): mapping.apply(to: &configuration)
    case .edm(let mapping): mapping.apply(to: &configuration)
    }
  }
}
