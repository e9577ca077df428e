/// Σ x / n and √(Σ (x − mean)² / n), added in order.
func meanAndStandardDeviation(_ values: [Double]) -> (mean: Double, standardDeviation: Double) {
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
  return (mean, variance.squareRoot())
}
