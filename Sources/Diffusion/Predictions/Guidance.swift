/// How samples are guided towards their conditions. If all parts are exact, the score is ∇log q(x_t) + (1 + γ)·∇log q(c |
/// x_t) in every case, where c is the class, the given channels or both; γ = 0 gives the exact conditional distribution.
package enum Guidance: Sendable {
  /// The network as it is.
  case conditional(Conditions)
  /// (1 + γ)·ε̂(x, c) − γ·ε̂(x, hidden c) (Ho, Salimans: "Classifier-free diffusion guidance", arXiv:2207.12598,
  /// equation 6). What `from` does not hide remains a plain condition of both terms.
  case classifierFree(Conditions, from: Conditions, scale: Double)
  /// A classifier's gradient is added (Dhariwal, Nichol: "Diffusion models beat GANs on image synthesis",
  /// arXiv:2105.05233, algorithm 2). Its scale is γ for a network that is given the classes in `modelConditions`, 1 + γ
  /// for one without them.
  case classifier(
    any NoisyClassifier & Sendable, classes: [Int], scale: Double, modelConditions: Conditions)

  /// A network without conditions.
  package static let none = Guidance.conditional(.none)

  /// Network evaluations per image for one estimate.
  package var evaluationsPerEstimate: Int {
    if case .classifierFree(_, _, let scale) = self, scale != 0 { 2 } else { 1 }
  }
}
