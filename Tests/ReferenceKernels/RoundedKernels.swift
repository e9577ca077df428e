import CBuildTarget
import CProcessor
import CTileModel
import MicroKernels

extension RoundedKernel {
  /// All implementations that this processor can run, and that by tile instructions on a model of them. The
  /// instructions themselves are used where the processor has them and the system permits them.
  package static let testable: [RoundedKernel] = {
    let tiles = Tiles.arePermitted ? 0 : DDPM_FEATURE_AMX_BF16.rawValue
    let features = ddpm_processor_features() & ~tiles
    return all.filter { $0.isSupported(by: features) } + [RoundedKernel(ddpm_modelled_amx_kernel)]
  }()
}
