/// Names of arm64's processors, which Linux reports as two numbers: the fields Implementer and PartNum of the register
/// MIDR_EL1 (Arm Architecture Reference Manual, D24.2.122). The list has those of servers and workstations.
enum ArmProcessor {
  /// - Parameters:
  ///   - implementer: `CPU implementer` in /proc/cpuinfo, such as `0x41`.
  ///   - part: `CPU part`, such as `0xd0c`.
  static func name(implementer: String, part: String) -> String? { names["\(implementer) \(part)"] }

  private static let names = [
    "0x41 0xd07": "Arm Cortex-A57",
    "0x41 0xd08": "Arm Cortex-A72",
    "0x41 0xd0b": "Arm Cortex-A76",
    "0x41 0xd0c": "Arm Neoverse N1",
    "0x41 0xd40": "Arm Neoverse V1",
    "0x41 0xd49": "Arm Neoverse N2",
    "0x41 0xd4f": "Arm Neoverse V2",
    "0x41 0xd84": "Arm Neoverse V3",
    "0x41 0xd8e": "Arm Neoverse N3",
    "0x43 0x0af": "Cavium ThunderX2",
    "0x46 0x001": "Fujitsu A64FX",
    "0x48 0xd01": "HiSilicon TaiShan v110",
    "0x61 0x022": "Apple M1 (Icestorm)",
    "0x61 0x023": "Apple M1 (Firestorm)",
    "0x6d 0xd49": "Microsoft Azure Cobalt 100",
    "0xc0 0xac3": "Ampere-1",
    "0xc0 0xac4": "Ampere-1a",
  ]
}
