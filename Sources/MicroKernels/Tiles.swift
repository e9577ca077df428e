import CBuildTarget
import CProcessor
import Glibc

/// Intel's tile instructions for bfloat16 (AMX). They are used only with `DDPM_AMX=1` in the environment, since they
/// have not been measured yet. They do not change a bit: see `RoundedKernel`.
package enum Tiles {
  /// Whether this processor has them, and the system supports them.
  package static var areAvailable: Bool { ddpm_processor_features() & DDPM_FEATURE_AMX_BF16.rawValue != 0 }

  /// Whether the environment asks for them.
  package static var areWanted: Bool { getenv("DDPM_AMX").map { String(cString: $0) } == "1" }

  /// Whether this process may use them; asks the system for permission.
  package static var arePermitted: Bool { ddpm_request_tiles() }

  /// Whether `RoundedKernel.best` uses them.
  // Permission is requested only where it is wanted, since signal stacks must then have room for the tiles.
  package static let areUsed = areWanted && arePermitted

  /// Whether they are used and why not, in a few words for people; asks the system for permission.
  package static var state: String {
    switch (areAvailable, areUsed) {
    case (false, _): "there is no AMX here" + (areWanted ? ", which DDPM_AMX=1 asks for" : "")
    case (true, true): "AMX is permitted and used, as DDPM_AMX=1 asks"
    case (true, false):
      arePermitted
        ? "AMX is permitted, and not used without DDPM_AMX=1 in the environment, since it has not been measured yet"
        : "AMX is not used, since the system does not permit it to this process"
    }
  }
}
