import MicroKernels
import Tensors

/// The phases of one call of `GroupNorm.forward`.
struct GroupNormForward {
  private let call: GroupNormCall
  private let y: UnsafeMutablePointer<Float>
  /// Mean and sum of squared deviations of each chunk's groups: [images, chunks, groups, 2].
  private let partials: Buffer<Double>
  /// The shift and factor of each image's channels: [images, 2, channels].
  private let coefficients: FloatBuffer

  init(_ call: GroupNormCall, y: UnsafeMutablePointer<Float>) {
    self.call = call
    self.y = y
    let geometry = call.geometry
    partials = Buffer(count: geometry.images * geometry.chunks * geometry.groups * 2)
    coefficients = FloatBuffer(count: geometry.images * 2 * geometry.channels)
  }

  private var geometry: GroupNormGeometry { call.geometry }

  /// Reads the chunk twice: once for its groups' means, then for the deviations from them, whose own sum corrects the
  /// mean for rounding errors.
  func accumulateStatistics(image: Int, chunk: Int) {
    let (channels, perGroup) = (geometry.channels, geometry.channelsPerGroup)
    let pixels = geometry.chunk(chunk)
    let start = image * geometry.pixels + pixels.lowerBound
    let target = partials.pointer + (image * geometry.chunks + chunk) * geometry.groups * 2
    let count = Double(pixels.count * perGroup)
    withScratch(3 * channels) { centres in
      let (sums, squares) = (centres + channels, centres + 2 * channels)
      for part in call.x {
        ColumnSums.sum(part.pixel(start), rows: pixels.count, columns: part.channels, into: sums + part.first)
      }
      for group in 0..<geometry.groups {
        let range = group * perGroup..<(group + 1) * perGroup
        let mean = Float(range.reduce(0) { $0 + Double(sums[$1]) } / count)
        for c in range { centres[c] = mean }
      }
      for part in call.x {
        ColumnSums.sumDeviations(
          part.pixel(start), rows: pixels.count, columns: part.channels, from: centres + part.first,
          sums: sums + part.first, squares: squares + part.first)
      }
      for group in 0..<geometry.groups {
        let range = group * perGroup..<(group + 1) * perGroup
        let sum = range.reduce(0) { $0 + Double(sums[$1]) }
        let square = range.reduce(0) { $0 + Double(squares[$1]) }
        target[2 * group] = Double(centres[range.lowerBound]) + sum / count
        target[2 * group + 1] = square - sum * sum / count
      }
    }
  }

  /// Combines the chunks' statistics in order (Chan, Golub, LeVeque: "Updating formulae and a pairwise algorithm for
  /// computing sample variances", 1979).
  func finishStatistics(image: Int) {
    let perGroup = geometry.channelsPerGroup
    let source = partials.pointer + image * geometry.chunks * geometry.groups * 2
    for group in 0..<geometry.groups {
      var (count, mean, squares) = (0.0, 0.0, 0.0)
      for chunk in 0..<geometry.chunks {
        let partial = source + (chunk * geometry.groups + group) * 2
        let added = Double(geometry.chunk(chunk).count * perGroup)
        let difference = partial[0] - mean
        let total = count + added
        mean += difference * (added / total)
        squares += partial[1] + difference * difference * (count * added / total)
        count = total
      }
      call.means[image * geometry.groups + group] = Float(mean)
      call.inverseStandardDeviations[image * geometry.groups + group] = Float(
        1 / (squares / count + Double(geometry.epsilon)).squareRoot())
    }
    prepareNormalisation(image: image)
  }

  /// Expands an image's statistics to its channels, for `normalise`.
  func prepareNormalisation(image: Int) {
    call.putShiftsAndFactors(image: image, into: coefficients.pointer + image * 2 * geometry.channels)
  }

  func normalise(image: Int, chunk: Int) {
    call.forEachBlock(image: image, chunk: chunk) { normalise(image, $0, multipliers: $1) }
  }

  // Not in the closure above, where the loops' bodies would become functions of their own.
  @inline(never)
  private func normalise(_ image: Int, _ pixels: Range<Int>, multipliers: UnsafePointer<Float>?) {
    switch call.activation {
    case .identity: normalise(IdentityFunction.self, image, pixels, multipliers: multipliers)
    case .silu: normalise(SiLUFunction.self, image, pixels, multipliers: multipliers)
    }
  }

  private func normalise<Function: ActivationFunction>(
    _: Function.Type, _ image: Int, _ pixels: Range<Int>, multipliers: UnsafePointer<Float>?
  ) {
    let channels = geometry.channels
    for part in call.x {
      let offsets = call.affine.offset(image: image) + part.first
      let shifts = UnsafePointer(coefficients.pointer + image * 2 * channels + part.first)
      let factors = shifts + channels
      for pixel in pixels {
        let number = image * geometry.pixels + pixel
        let (source, target) = (part.pixel(number), y + number * channels + part.first)
        let multipliers = multipliers.map { $0 + (pixel - pixels.lowerBound) * channels + part.first }
        @inline(__always)
        func normaliseVector(_ c: Int, _ lanes: Int) {
          let centred = load(source + c, lanes) - load(shifts + c, lanes)
          var value = Function.value(
            load(offsets + c, lanes).addingProduct(centred, load(factors + c, lanes)))
          if let multipliers { value *= load(multipliers + c, lanes) }
          store(value, target + c, lanes)
        }
        forEachVector(part.channels, normaliseVector)
      }
    }
  }
}
