import Configuration
import Diffusion
import Failures

extension TrainedModel {
  /// - Throws: `InputError` if the network is given channels, which `command` does not supply.
  func requireNoGivenChannels(_ command: String) throws {
    let names = configuration.data.conditions
    guard !names.isEmpty else { return }
    throw InputError(
      "--checkpoint \(origin.checkpoint): the model is conditioned on \(names.joined(separator: ", ")) (data.conditions), "
        + "which \(command) does not support; use a model without data.conditions, or draw with `sample --condition`")
  }
}

/// Calls `body`.
/// - Throws: the errors of `body`; an invalid setting is named by its command-line option.
func namingOptions<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch let error as DiffusionError {
    throw InputError("--\(error.key.replacing("_", with: "-")): \(error.problem)")
  }
}
