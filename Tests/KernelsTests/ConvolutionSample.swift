import Foundation
import Kernels
import Tensors

/// A convolution of random numbers and its gradients by one of the methods, and some elements of each result by the
/// definition, in double and in single precision.
struct ConvolutionSample {
  private let geometry: Winograd.Geometry
  private let method: ConvolutionMethod
  private let x: Tensor
  private let kernel: Tensor
  private let dy: Tensor
  /// For the kernel's gradient: a gradient of the loss has a negligible mean.
  private let centredDy: Tensor

  /// The errors of some elements of a result, in units of the root mean square of a sum of independent terms of the
  /// same size.
  struct Errors {
    /// Root mean square of the method's errors.
    var rootMeanSquare: Double
    /// The largest of the method's errors; infinite if an element is not finite.
    var largest: Double
    /// Root mean square of the errors of adding up the terms one by one in single precision.
    var direct: Double
    /// The average number of terms of an element.
    var termCount: Double
  }

  private static let workers = WorkerPool(threadCount: 2)

  /// Operands of standard normal numbers.
  init(_ geometry: Winograd.Geometry, method: ConvolutionMethod = .winograd) {
    let factor = geometry.enlargesInput ? 2 : 1
    self.init(
      geometry, method,
      x: normalTensor(
        [geometry.images, geometry.height / factor, geometry.width / factor, geometry.inChannels], seed: 1),
      kernel: normalTensor([3, 3, geometry.inChannels, geometry.outChannels], seed: 2),
      dy: normalTensor([geometry.images, geometry.height, geometry.width, geometry.outChannels], seed: 3),
      centredDy: normalTensor([geometry.images, geometry.height, geometry.width, geometry.outChannels], seed: 3))
  }

  private init(
    _ geometry: Winograd.Geometry, _ method: ConvolutionMethod, x: Tensor, kernel: Tensor, dy: Tensor, centredDy: Tensor
  ) {
    self.geometry = geometry
    self.method = method
    self.x = x
    self.kernel = kernel
    self.dy = dy
    self.centredDy = centredDy
  }

  /// The same, with x and the propagated gradient changed to another mean and standard deviation.
  func drawn(from distribution: WinogradAccuracyTests.Distribution) -> ConvolutionSample {
    func moved(_ tensor: Tensor, mean: Float) -> Tensor {
      let result = tensor.copied()
      for i in 0..<result.count { result.pointer[i] = result.pointer[i] * distribution.standardDeviation + mean }
      return result
    }
    return ConvolutionSample(
      geometry, method, x: moved(x, mean: distribution.mean), kernel: kernel, dy: moved(dy, mean: distribution.mean),
      centredDy: moved(dy, mean: 0))
  }

  var tileCount: Int { geometry.images * ((geometry.height + 3) / 4) * ((geometry.width + 3) / 4) }

  func forwardErrors() -> Errors {
    let y = Tensor(uninitialised: dy.shape)
    method.convolve(x, kernel: kernel, into: y, workers: Self.workers)
    let (inChannels, outChannels) = (geometry.inChannels, geometry.outChannels)
    return errors(of: y) { element, add in
      let (pixel, o) = element.quotientAndRemainder(dividingBy: outChannels)
      forEachTap(of: pixel, sign: 1) { tap, neighbour in
        let from = x.pointer + seen(neighbour) * inChannels
        let weights = kernel.pointer + tap * inChannels * outChannels + o
        for c in 0..<inChannels { add(from[c], weights[c * outChannels]) }
      }
    }
  }

  func inputGradientErrors() -> Errors {
    let dx = Tensor(uninitialised: x.shape)
    method.propagateGradient(dy, kernel: kernel, into: dx, workers: Self.workers)
    let (inChannels, outChannels) = (geometry.inChannels, geometry.outChannels)
    return errors(of: dx) { element, add in
      let (pixel, i) = element.quotientAndRemainder(dividingBy: inChannels)
      for full in pixels(seenAs: pixel) {
        forEachTap(of: full, sign: -1) { tap, neighbour in
          let from = dy.pointer + neighbour * outChannels
          let weights = kernel.pointer + (tap * inChannels + i) * outChannels
          for o in 0..<outChannels { add(from[o], weights[o]) }
        }
      }
    }
  }

  func kernelGradientErrors() -> Errors {
    let dy = centredDy
    let dKernel = Tensor(repeating: 0, shape: kernel.shape)
    let imageSums = Tensor(uninitialised: [geometry.images, geometry.outChannels])
    method.accumulateKernelGradient(x, dy: dy, into: dKernel, imageSums: imageSums, workers: Self.workers)
    let (inChannels, outChannels) = (geometry.inChannels, geometry.outChannels)
    return errors(of: dKernel) { element, add in
      let (row, o) = element.quotientAndRemainder(dividingBy: outChannels)
      let (tap, i) = row.quotientAndRemainder(dividingBy: inChannels)
      for pixel in 0..<geometry.images * geometry.height * geometry.width {
        guard let neighbour = neighbour(of: pixel, tap: tap, sign: 1) else { continue }
        add(x.pointer[seen(neighbour) * inChannels + i], dy.pointer[pixel * outChannels + o])
      }
    }
  }

  /// The number of elements of each result that are computed by the definition.
  private static let sampleSize = 300

  /// - Parameter terms: calls `add` for each product that contributes to an element.
  private func errors(
    of result: Tensor, terms: (_ element: Int, _ add: (Float, Float) -> Void) -> Void
  ) -> Errors {
    var (squaredErrors, direct, largest, scale) = (0.0, 0.0, 0.0, 0.0)
    var (count, termCount) = (0.0, 0.0)
    // A step without the factors 2 and 3, which divide channels and tiles: the sample covers all positions in a tile.
    let step = result.count / Self.sampleSize / 6 * 6 + 1
    for element in Swift.stride(from: 0, to: result.count, by: step) {
      var (exact, squares) = (0.0, 0.0)
      var single: Float = 0
      terms(element) { a, b in
        let product = Double(a) * Double(b)
        exact += product
        squares += product * product
        single += a * b
        termCount += 1
      }
      let error = abs(Double(result.pointer[element]) - exact)
      largest = max(largest, error.isFinite ? error : .infinity)
      squaredErrors += error * error
      direct += (Double(single) - exact) * (Double(single) - exact)
      scale += squares
      count += 1
    }
    return Errors(
      rootMeanSquare: (squaredErrors / scale).squareRoot(), largest: largest / (scale / count).squareRoot(),
      direct: (direct / scale).squareRoot(), termCount: termCount / count)
  }

  /// Calls `body` with the taps, and the pixels of the full resolution that they cover, or through which they cover
  /// `pixel`.
  private func forEachTap(of pixel: Int, sign: Int, _ body: (_ tap: Int, _ neighbour: Int) -> Void) {
    for tap in 0..<9 {
      if let neighbour = neighbour(of: pixel, tap: tap, sign: sign) { body(tap, neighbour) }
    }
  }

  private func neighbour(of pixel: Int, tap: Int, sign: Int) -> Int? {
    let row = pixel / geometry.width % geometry.height + sign * (tap / 3 - 1)
    let column = pixel % geometry.width + sign * (tap % 3 - 1)
    guard 0..<geometry.height ~= row && 0..<geometry.width ~= column else { return nil }
    return (pixel / (geometry.height * geometry.width) * geometry.height + row) * geometry.width + column
  }

  /// The pixel of x at a pixel of the full resolution.
  private func seen(_ pixel: Int) -> Int {
    guard geometry.enlargesInput else { return pixel }
    // Images have even heights, so lines can be numbered across all of them.
    let (line, column) = pixel.quotientAndRemainder(dividingBy: geometry.width)
    return line / 2 * (geometry.width / 2) + column / 2
  }

  /// The inverse of `seen`.
  private func pixels(seenAs pixel: Int) -> [Int] {
    guard geometry.enlargesInput else { return [pixel] }
    let (line, column) = pixel.quotientAndRemainder(dividingBy: geometry.width / 2)
    let first = 2 * line * geometry.width + 2 * column
    return [first, first + 1, first + geometry.width, first + geometry.width + 1]
  }
}
