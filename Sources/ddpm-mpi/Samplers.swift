import ArgumentParser
import Diffusion
import Files

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
      StandardOutput.print("\(pad(name.rawValue, 20))\(name.summary)")
      StandardOutput.print("\(pad("", 20))\(order), \(cost); \(name.source)")
    }
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
