import Glibc

extension Reference {
  /// [sin(t·f_0), sin(t·f_1), …, cos(t·f_0), cos(t·f_1), …] for each timestep, with
  /// f_i = 10000^(−i / (half − 1)), half = dimension / 2; [timesteps, dimension].
  package static func timestepEmbedding(timesteps: [Double], dimension: Int) -> [Double] {
    let half = dimension / 2
    return timesteps.flatMap { t in
      let angles = (0..<half).map { t * pow(10000, -Double($0) / Double(max(half - 1, 1))) }
      return angles.map { sin($0) } + angles.map { cos($0) } + [Double](repeating: 0, count: dimension - 2 * half)
    }
  }
}
