import Configuration
import Diffusion
import Interchange

/// What a scheduler of diffusers says of the process that a network was trained for.
enum ProcessMapping: Equatable, Sendable {
  case steps(SchedulerMapping)
  case edm(EDMSchedulerMapping)

  /// - Throws: `ExportRefusal` for a process that no scheduler can follow.
  init(_ configuration: RunConfiguration) throws {
    if let mapping = try EDMSchedulerMapping(configuration) {
      self = .edm(mapping)
    } else {
      self = .steps(try SchedulerMapping(configuration))
    }
  }

  /// - Throws: `InterchangeError` naming the key of what is not known here.
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

  /// Whether `DDPMPipeline` draws from it: it knows neither of inputs that are scaled, nor of noise other than N(0, I).
  var suitsPipeline: Bool { if case .steps = self { true } else { false } }

  func apply(to configuration: inout RunConfiguration) {
    switch self {
    case .steps(let mapping): mapping.apply(to: &configuration)
    case .edm(let mapping): mapping.apply(to: &configuration)
    }
  }
}
