/// How samples are guided towards classes. If all parts are exact, the score is ∇log q(x_t) + (1 + γ)·∇log q(class |
/// x_t) in every case; γ = 0 gives the exact conditional distribution.
package enum Guidance: Sendable {
  /// A network without classes.
  case none
  /// A network conditioned on classes, where nil is the null class.
  case conditional([Int?])
  /// (1 + γ)·ε̂(x, class) − γ·ε̂(x, no class) (Ho, Salimans: "Classifier-free diffusion guidance", arXiv:2207.12598,
  /// equation 6).
  case classifierFree([Int?], scale: Double)
  /// A classifier's gradient is added (Dhariwal, Nichol: "Diffusion models beat GANs on image synthesis",
  /// arXiv:2105.05233, algorithm 2). Its scale is γ for a network conditioned on classes (`modelClasses`), 1 + γ for an
  /// unconditional one.
  case classifier(any NoisyClassifier & Sendable, classes: [Int], scale: Double, modelClasses: [Int?]?)

  /// Network evaluations per image for one estimate.
  package var evaluationsPerEstimate: Int {
    if case .classifierFree(_, let scale) = self, scale != 0 { 2 } else { 1 }
  }
}
