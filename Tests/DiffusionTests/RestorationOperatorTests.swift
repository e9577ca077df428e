import Diffusion
import RealModule
import Testing

@Suite struct RestorationOperatorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let forward: any MeasurementOperator
  }

  static let shape = [4, 6, 3]

  static let cases: [Case] = [
    Case(
      testDescription: "mask by pixel",
      forward: try! MaskOperator(isKnown: (0..<24).map { $0 % 5 < 2 }, imageShape: shape)),
    Case(
      testDescription: "mask by element",
      forward: try! MaskOperator(isKnown: (0..<72).map { $0 % 7 < 2 }, imageShape: shape)),
    Case(testDescription: "coarse", forward: try! CoarseOperator(factor: 2, imageShape: shape)),
    Case(testDescription: "grey", forward: try! GreyOperator(imageShape: shape)),
    Case(testDescription: "channels", forward: try! ChannelsOperator(channels: [2, 0], imageShape: shape)),
    Case(testDescription: "blur, reflecting", forward: try! BlurOperator(sigma: 0.8, imageShape: shape)),
    // Wider than the image: weights wrap several times.
    Case(
      testDescription: "blur, periodic",
      forward: try! BlurOperator(sigma: 3, imageShape: shape, vertical: .periodic, horizontal: .periodic)),
  ]

  /// For sums of 72 products of numbers of about 1 in double precision.
  static let tolerance = 1e-13

  /// ⟨A·x, y⟩ = ⟨x, Aᵀ·y⟩, for each image separately.
  @Test(arguments: cases)
  func theAdjointIsTheTransposed(_ test: Case) {
    let x = normals([3] + Self.shape, seed: 1)
    let y = normals([3] + test.forward.measurementShape, seed: 2)
    let (applied, adjoint) = (test.forward.apply(x), test.forward.adjoint(y))
    #expect(applied.shape == y.shape && adjoint.shape == x.shape)
    for image in 0..<3 {
      func product(_ a: DoubleTensor, _ b: DoubleTensor) -> Double {
        a.range(ofImage: image).reduce(0) { $0 + a.elements[$1] * b.elements[$1] }
      }
      #expect(abs(product(applied, y) - product(x, adjoint)) < Self.tolerance * 100)
    }
  }

  /// (A·Aᵀ + diag(shifts))·solve(y) = y.
  @Test(arguments: cases)
  func theEquationIsSolved(_ test: Case) throws {
    let y = normals([3] + test.forward.measurementShape, seed: 2)
    let scales = [0.5, 1e-3, 2]
    let weights = DoubleTensor(y.elements.indices.map { Double(1 + $0 % 4) }, shape: y.shape)
    let shifts = DoubleTensor(scales * weights)
    let v = try test.forward.solve(y, shifts: shifts)
    let shifted = DoubleTensor(zip(shifts.elements, v.elements).map { $0 * $1 }, shape: y.shape)
    let back = DoubleTensor(test.forward.apply(test.forward.adjoint(v)) + shifted)
    // The residual of conjugate gradients is 1e-9 of a vector of length √72.
    #expect(largestDifference(back, y) < (test.forward.rowSquare == nil ? 1e-7 : Self.tolerance))
  }

  @Test(arguments: cases.filter { $0.forward.rowSquare != nil })
  func thePseudoInverseIsMooreAndPenroses(_ test: Case) throws {
    let y = normals([2] + test.forward.measurementShape, seed: 2)
    let x = normals([2] + Self.shape, seed: 1)
    let forward = test.forward
    #expect(largestDifference(forward.apply(try forward.pseudoInverse(y)), y) < Self.tolerance)
    // A⁺·A is symmetric and keeps what it made.
    let projected = try forward.pseudoInverse(forward.apply(x))
    #expect(largestDifference(try forward.pseudoInverse(forward.apply(projected)), projected) < Self.tolerance)
    let rest = DoubleTensor(x - projected)
    let product = zip(rest.elements, projected.elements).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(product) < 100 * Self.tolerance)
  }

  @Test func measurementsAreWhatTheySay() throws {
    let x = DoubleTensor((0..<16).map(Double.init), shape: [1, 4, 4, 1])
    #expect(try CoarseOperator(factor: 2, imageShape: [4, 4, 1]).apply(x).elements == [2.5, 4.5, 10.5, 12.5])
    let coloured = DoubleTensor([1, 2, 6, 0, 3, 3], shape: [1, 1, 2, 3])
    #expect(try GreyOperator(imageShape: [1, 2, 3]).apply(coloured).elements == [3, 2])
    #expect(try ChannelsOperator(channels: [2, 0], imageShape: [1, 2, 3]).apply(coloured).elements == [6, 1, 3, 0])
    #expect(try MaskOperator(isKnown: [false, true], imageShape: [1, 2, 3]).apply(coloured).elements == [0, 3, 3])
  }

  /// A wave keeps its shape and shrinks by the transfer function of the weights; a constant stays.
  @Test func blurShrinksWavesByItsTransferFunction() throws {
    let (count, sigma) = (16, 1.5)
    let weights = (-6...6).map { Double.exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let total = weights.reduce(0, +)
    for frequency in [0, 1, 3] {
      let angle = 2 * Double.pi * Double(frequency) / Double(count)
      let wave = (0..<count).map { Double.cos(angle * (Double($0) + 0.5)) }
      let factor = zip(-6...6, weights).reduce(0) { $0 + $1.1 * Double.cos(angle * Double($1.0)) } / total
      // This wave is symmetric about its ends, so both borders continue it.
      for border in BlurOperator.Border.allCases {
        let blur = try BlurOperator(
          sigma: sigma, imageShape: [2, count, 1], vertical: .periodic, horizontal: border)
        let blurred = blur.apply(DoubleTensor(wave + wave, shape: [1, 2, count, 1]))
        let expected = DoubleTensor((wave + wave).map { factor * $0 }, shape: [1, 2, count, 1])
        #expect(largestDifference(blurred, expected) < Self.tolerance)
      }
    }
  }

  @Test func anImpossibleInverseIsRefused() throws {
    let blur = try BlurOperator(sigma: 2, imageShape: [8, 8, 1])
    let error = #expect(throws: DiffusionError.self) {
      try blur.pseudoInverse(DoubleTensor(shape: [1, 8, 8, 1]))
    }
    #expect(error?.key == "operator")
  }

  @Test func operatorsThatDoNotFitAreNamed() {
    func key(_ body: () throws -> Void) -> String? {
      do { try body() } catch let error as DiffusionError { return error.key } catch {}
      return nil
    }
    let shape = Self.shape
    #expect(key { _ = try MaskOperator(isKnown: [true], imageShape: shape) } == "mask")
    #expect(
      key { _ = try MaskOperator(isKnown: [Bool](repeating: false, count: 24), imageShape: shape) } == "mask")
    #expect(key { _ = try CoarseOperator(factor: 4, imageShape: shape) } == "operator")
    #expect(key { _ = try CoarseOperator(factor: 0, imageShape: shape) } == "operator")
    #expect(key { _ = try GreyOperator(imageShape: [4, 6, 1]) } == "operator")
    #expect(key { _ = try ChannelsOperator(channels: [], imageShape: shape) } == "operator")
    #expect(key { _ = try ChannelsOperator(channels: [3], imageShape: shape) } == "operator")
    #expect(key { _ = try ChannelsOperator(channels: [1, 1], imageShape: shape) } == "operator")
    for sigma in [0, -1, 5, .nan, .infinity] {
      #expect(key { _ = try BlurOperator(sigma: sigma, imageShape: shape) } == "operator")
    }
    for text in ["", "median", "coarse", "coarse=", "coarse=x", "grey=2", "blur=", "channels=", "channels=9"] {
      #expect(
        key {
          _ = try OperatorSettings(text).makeOperator(OperatorSettings.Context(imageShape: shape))
        } == "operator", "\(text)")
    }
    #expect(
      key { _ = try OperatorSettings("mask").makeOperator(OperatorSettings.Context(imageShape: shape)) } == "mask")
  }

  @Test func operatorsAreReadAsWritten() throws {
    var context = OperatorSettings.Context(imageShape: Self.shape)
    context.channelNames = ["u", "v", "T"]
    context.isKnown = (0..<24).map { $0 == 3 }
    context.horizontal = .periodic
    func read(_ text: String) throws -> any MeasurementOperator {
      try OperatorSettings(text).makeOperator(context)
    }
    #expect((try read("coarse=2") as? CoarseOperator)?.factor == 2)
    #expect((try read("blur=1.5") as? BlurOperator)?.sigma == 1.5)
    #expect((try read("channels=T,0") as? ChannelsOperator)?.channels == [2, 0])
    #expect((try read("mask") as? MaskOperator)?.known == [9, 10, 11])
    #expect(try read("grey") is GreyOperator)
  }

  /// A channel's constant is the measurement of its elements.
  @Test(arguments: cases)
  func aConstantIsItsOwnMeasurement(_ test: Case) throws {
    guard let channels = test.forward.channelsOfElements else {
      #expect(test.forward is GreyOperator)
      return
    }
    let constants = [3.0, -1, 0.5]
    let x = DoubleTensor((0..<72).map { constants[$0 % 3] }, shape: [1] + Self.shape)
    let expected = DoubleTensor(channels.map { constants[$0] }, shape: [1] + test.forward.measurementShape)
    #expect(largestDifference(test.forward.apply(x), expected) < Self.tolerance)
  }

  @Test func measurementsAreChecked() throws {
    let coarse = try CoarseOperator(factor: 2, imageShape: [4, 4, 1])
    func key(_ values: [Double], _ shape: [Int], noise: Double = 0) -> String? {
      do { _ = try Measurement(DoubleTensor(values, shape: shape), of: coarse, noise: noise) } catch {
        return error.key
      }
      return nil
    }
    #expect(key([1, 2, 3, 4], [1, 2, 2, 1]) == nil)
    #expect(key([1, 2, 3, 4], [1, 4, 1, 1]) == "measured")
    #expect(key([1, 2, .nan, 4], [1, 2, 2, 1]) == "measured")
    #expect(key([1, 2, 3, 4], [1, 2, 2, 1], noise: -1) == "noise")
    #expect(key([1, 2, 3, 4], [1, 2, 2, 1], noise: .nan) == "noise")
    let error = #expect(throws: DiffusionError.self) {
      try Measurement(DoubleTensor(shape: [1, 2, 2, 1]), of: coarse, noise: [0.1, 0, -0.1, 0.1])
    }
    #expect(error?.key == "noise")
  }
}
