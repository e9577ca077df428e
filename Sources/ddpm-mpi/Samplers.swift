import ArgumentParser
import Diffusion
import Files
import TextFormatting

struct Samplers: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the samplers.",
    discussion: """
      The order says how fast the error of deterministic samplers decreases with the number of steps; the others add \
      noise. An evaluation is one pass of an image through the network.
      """)

  func run() {
    for name in SamplerName.allCases {
      let order = name.order.map { "order \($0)" } ?? "random"
      let cost = name.evaluationsPerStep.map { "\($0) evaluation\($0 == 1 ? "" : "s") a step" } ?? "as many as needed"
      for (left, right) in [(name.rawValue, name.summary), ("", "\(order), \(cost); \(name.source)")] {
        StandardOutput.print(left.padded(to: 20) + right)
      }
    }
  }
}
