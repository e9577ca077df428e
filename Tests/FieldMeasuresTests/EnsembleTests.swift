import FieldMeasures
import RealModule
import ReferenceKernels
import Tensors
import Testing

struct EnsembleTests {
  /// Means of some thousand numbers of order one, in double precision.
  static let tolerance = 1e-11

  /// - Parameters:
  ///   - ensembles: [cases, M, H, W, C].
  ///   - truths: [cases, H, W, C].
  private func sums(_ ensembles: Tensor, _ truths: Tensor, seed: UInt64 = 0) throws -> EnsembleSums {
    var sums = EnsembleSums(memberCount: ensembles.shape[1], shape: Array(truths.shape.dropFirst()), seed: seed)
    try sums.add(ensembles, truths: truths, workers: .callingThread)
    return sums
  }

  /// One case of one point.
  private func sums(members: [Float], truth: Float) throws -> EnsembleSums {
    try sums(Tensor(members, shape: [1, members.count, 1, 1, 1]), Tensor([truth], shape: [1, 1, 1, 1]))
  }

  @Test(arguments: [1, 2, 3, 10]) func scoresFollowTheirDefinitions(members: Int) throws {
    let (ensembles, truths) = (TestFields.normals([3, members, 4, 5, 2]), TestFields.normals([3, 4, 5, 2], seed: 2))
    let sums = try sums(ensembles, truths)
    for channel in 0..<2 {
      var (errors, pairs, variances, squares) = (0.0, 0.0, 0.0, 0.0)
      for index in 0..<3 {
        for point in 0..<20 {
          let truth = Double(truths[(index * 20 + point) * 2 + channel])
          let values = (0..<members).map { Double(ensembles[((index * members + $0) * 20 + point) * 2 + channel]) }
          let mean = values.reduce(0, +) / Double(members)
          squares += (mean - truth) * (mean - truth) / 60
          for value in values {
            errors += abs(value - truth) / Double(60 * members)
            variances += (value - mean) * (value - mean) / Double(60 * max(members - 1, 1))
            for other in values { pairs += abs(value - other) / 60 }
          }
        }
      }
      let score = try CRPS(sums, channel: channel)
      let count = Double(members)
      #expect(score.caseCount == 3 && score.memberCount == members)
      #expect(abs(score.standard - (errors - pairs / (2 * count * count))) < Self.tolerance)
      if members == 1 {
        #expect(score.fair == nil)
        let refusal = FieldMeasureError.tooFew(things: "members", found: 1, minimum: 2, measure: "a spread")
        #expect(throws: refusal) { try SpreadSkill(sums, channel: channel) }
        continue
      }
      #expect(abs(try #require(score.fair) - (errors - pairs / (2 * count * (count - 1)))) < Self.tolerance)
      let spread = try SpreadSkill(sums, channel: channel)
      #expect(abs(spread.spread - variances.squareRoot()) < Self.tolerance)
      #expect(abs(spread.error - squares.squareRoot()) < Self.tolerance)
      let ratio = ((count + 1) / count * variances / squares).squareRoot()
      #expect(abs(try #require(spread.ratio) - ratio) < Self.tolerance)
    }
  }

  /// σ·(z·(2Φ(z) − 1) + 2φ(z) − 1/√π) with z = (y − μ)/σ (Gneiting and Raftery, 2007).
  @Test(arguments: [(0.0, 1.0, 0.0), (1.0, 2.0, -1.5), (-3.0, 0.5, -2.0)])
  func largeEnsembleHasTheScoreOfItsNormalDistribution(mean: Double, sigma: Double, truth: Double) throws {
    // The quantiles at (i + ½)/M, by bisection: their mean absolute error is of the order of σ/M.
    let count = 2000
    let members = (0..<count).map { (member: Int) -> Float in
      var (low, high) = (-8.0, 8.0)
      for _ in 0..<60 {
        let middle = (low + high) / 2
        let probability = (1 + Double.erf(middle / 2.0.squareRoot())) / 2
        if probability < (Double(member) + 0.5) / Double(count) { low = middle } else { high = middle }
      }
      return Float(mean + sigma * low)
    }
    let z = (truth - mean) / sigma
    let density = Double.exp(-z * z / 2) / (2 * Double.pi).squareRoot()
    let expected = sigma * (z * Double.erf(z / 2.0.squareRoot()) + 2 * density - 1 / Double.pi.squareRoot())
    let score = try CRPS(sums(members: members, truth: Float(truth)), channel: 0)
    #expect(abs(score.standard - expected) < 1e-3 * sigma)
    #expect(abs(try #require(score.fair) - expected) < 1e-3 * sigma)
  }

  /// For standard normal members and truths E|X − Y| = 2/√π. The fair score has the expectation 1/√π for any number of
  /// members, the standard one is larger by 1/(M·√π), and spread and skill agree.
  @Test(arguments: [2, 5]) func reliableEnsemblesHaveTheExpectedScores(members: Int) throws {
    let sums = try sums(
      TestFields.normals([50, members, 16, 16, 1]), TestFields.normals([50, 16, 16, 1], seed: 2))
    let score = try CRPS(sums, channel: 0)
    let (expected, points) = (1 / Double.pi.squareRoot(), Double(50 * 256))
    // The score of a point has a standard deviation below 1.
    #expect(abs(try #require(score.fair) - expected) < 4 / points.squareRoot())
    #expect(abs(score.standard - expected * (1 + 1 / Double(members))) < 4 / points.squareRoot())
    // The relative standard error of a mean square of normal numbers is √(2/n), half of it that of the root.
    let ratio = try #require(try SpreadSkill(sums, channel: 0).ratio)
    #expect(abs(ratio - 1) < 4 / points.squareRoot())
    let ranks = try RankHistogram(sums, channel: 0)
    #expect(ranks.counts.count == members + 1 && ranks.counts.reduce(0, +) == Int(points))
    // χ² with M degrees of freedom has mean M and variance 2M.
    let expectedCount = points / Double(members + 1)
    let chiSquare = ranks.counts.reduce(0.0) { $0 + (Double($1) - expectedCount) * (Double($1) - expectedCount) }
    #expect(chiSquare / expectedCount < Double(members) + 5 * (2 * Double(members)).squareRoot())
  }

  @Test func twoMembersHaveClosedForms() throws {
    let sums = try sums(members: [3, 1], truth: 0)
    let score = try CRPS(sums, channel: 0)
    #expect(score.standard == 2 - 2 / 4.0 && score.fair == 2 - 2 / 2.0)
    let spread = try SpreadSkill(sums, channel: 0)
    #expect(spread.spread == 2.0.squareRoot() && spread.error == 2)
    #expect(abs(try #require(spread.ratio) - 0.75.squareRoot()) < Self.tolerance)
    #expect(try RankHistogram(sums, channel: 0).counts == [1, 0, 0])
    #expect(try RankHistogram(self.sums(members: [3, 1], truth: 2), channel: 0).counts == [0, 1, 0])
    #expect(try RankHistogram(self.sums(members: [3, 1], truth: 4), channel: 0).counts == [0, 0, 1])
  }

  @Test func perfectEnsembleHasNoRatio() throws {
    let spread = try SpreadSkill(sums(members: [1, 1], truth: 1), channel: 0)
    #expect(spread.spread == 0 && spread.error == 0 && spread.ratio == nil)
  }

  @Test func tiesAreResolvedEvenlyAndByTheSeed() throws {
    // The truth equals two of four members, and one is below: ranks 1, 2 and 3 are equally likely.
    let (cases, points) = (3, 400)
    let members = Tensor(uninitialised: [cases, 4, 20, 20, 1])
    for index in 0..<members.count { members[index] = [0, 1, 1, 2][index / points % 4] }
    let truths = Tensor(repeating: 1, shape: [cases, 20, 20, 1])
    let counts = try RankHistogram(sums(members, truths, seed: 5), channel: 0).counts
    #expect(counts[0] == 0 && counts[4] == 0)
    // 400 each, with a standard deviation of 16.
    for rank in 1...3 { #expect((335...465).contains(counts[rank])) }
    #expect(try RankHistogram(sums(members, truths, seed: 5), channel: 0).counts == counts)
    #expect(try RankHistogram(sums(members, truths, seed: 6), channel: 0).counts != counts)
  }

  @Test func batchesAndThreadsChangeNoBit() throws {
    let ensembles = TestFields.mapped(TestFields.normals([7, 3, 5, 4, 2])) { value, _ in (2 * value).rounded() }
    let truths = TestFields.mapped(TestFields.normals([7, 5, 4, 2], seed: 2)) { value, _ in (2 * value).rounded() }
    let once = try sums(ensembles, truths, seed: 3)
    for pool in TestData.pools {
      var several = EnsembleSums(memberCount: 3, shape: [5, 4, 2], seed: 3)
      for batch in [0..<1, 1..<4, 4..<7] {
        try several.add(ensembles[batch], truths: truths[batch], workers: pool)
      }
      #expect(several.count == 7)
      for channel in 0..<2 {
        #expect(try CRPS(several, channel: channel) == CRPS(once, channel: channel))
        #expect(try SpreadSkill(several, channel: channel) == SpreadSkill(once, channel: channel))
        #expect(try RankHistogram(several, channel: channel) == RankHistogram(once, channel: channel))
      }
    }
  }

  /// Truths that are missing in the right half give the scores of the left half.
  @Test func pointsWithoutATruthDoNotCount() throws {
    let (ensembles, truths) = (TestFields.normals([4, 3, 2, 6, 2]), TestFields.normals([4, 2, 6, 2], seed: 2))
    func isLeft(_ index: Int) -> Bool { index / 2 % 6 < 3 }
    func left(_ fields: Tensor) -> Tensor {
      let values = (0..<fields.count).filter(isLeft).map { fields[$0] }
      return Tensor(values, shape: Array(fields.shape.dropLast(2)) + [3, 2])
    }
    let expected = try sums(left(ensembles), left(truths))
    for pool in TestData.pools {
      var found = EnsembleSums(memberCount: 3, shape: [2, 6, 2], seed: 0)
      try found.add(ensembles, truths: truths, isPresent: (0..<truths.count).map(isLeft), workers: pool)
      for channel in 0..<2 {
        #expect(try CRPS(found, channel: channel) == CRPS(expected, channel: channel))
        #expect(try SpreadSkill(found, channel: channel) == SpreadSkill(expected, channel: channel))
        #expect(try RankHistogram(found, channel: channel) == RankHistogram(expected, channel: channel))
      }
    }
    var none = EnsembleSums(memberCount: 3, shape: [2, 6, 2], seed: 0)
    let isPresent = [Bool](repeating: false, count: truths.count)
    try none.add(ensembles, truths: truths, isPresent: isPresent, workers: .callingThread)
    let refusal = FieldMeasureError.tooFew(
      things: "values of the truth that are not missing", found: 0, minimum: 1, measure: "a CRPS")
    #expect(throws: refusal) { try CRPS(none, channel: 0) }
  }

  @Test func unusableEnsemblesAreRefused() throws {
    var sums = EnsembleSums(memberCount: 2, shape: [2, 2, 1], seed: 0)
    #expect(throws: FieldMeasureError.tooFew(things: "cases", found: 0, minimum: 1, measure: "a CRPS")) {
      try CRPS(sums, channel: 0)
    }
    func add(_ ensembles: [Int], _ truths: [Int], first: Float = 0) throws {
      let truths = TestFields.normals(truths)
      truths[0] = first
      try sums.add(TestFields.normals(ensembles), truths: truths, workers: .callingThread)
    }
    #expect(
      throws: FieldMeasureError.wrongShape(name: "ensembles", found: [1, 3, 2, 2, 1], expected: [nil, 2, 2, 2, 1])
    ) { try add([1, 3, 2, 2, 1], [1, 2, 2, 1]) }
    #expect(throws: FieldMeasureError.wrongShape(name: "truths", found: [2, 2, 2, 1], expected: [1, 2, 2, 1])) {
      try add([1, 2, 2, 2, 1], [2, 2, 2, 1])
    }
    #expect(throws: FieldMeasureError.notFinite(location: "number [0, 0, 0, 0] of the truths")) {
      try add([1, 2, 2, 2, 1], [1, 2, 2, 1], first: .infinity)
    }
    #expect(sums.count == 0)
    try add([1, 2, 2, 2, 1], [1, 2, 2, 1])
    #expect(throws: FieldMeasureError.noSuchChannel(1, channels: 1)) { try RankHistogram(sums, channel: 1) }
  }
}
