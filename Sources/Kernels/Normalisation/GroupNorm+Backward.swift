import MicroKernels
import Tensors

/// The phases of one call of `GroupNorm.backward`.
struct GroupNormBackward {
  private let call: GroupNormCall
  private let dy: UnsafePointer<Float>
  private let g: UnsafeMutablePointer<Float>
  private let dx: [(target: Tensor, addend: Tensor?)]
  /// Σ g and Σ g·(x − mean) of each chunk's channels: [images, chunks, 2, channels].
  private let partials: FloatBuffer
  /// The same sums for each image, in double precision: [images, 2, channels].
  private let sums: Buffer<Double>
  /// dx = g·factor − (constant + (x − shift)·slope), per channel: [images, 4, channels].
  private let coefficients: FloatBuffer

  init(
    _ call: GroupNormCall, dy: UnsafePointer<Float>, g: UnsafeMutablePointer<Float>,
    dx: [(target: Tensor, addend: Tensor?)]
  ) {
    self.call = call
    self.dy = dy
    self.g = g
    self.dx = dx
    let geometry = call.geometry
    partials = FloatBuffer(count: geometry.images * geometry.chunks * 2 * geometry.channels)
    sums = Buffer(count: geometry.images * 2 * geometry.channels)
    coefficients = FloatBuffer(count: geometry.images * 4 * geometry.channels)
  }

  private var geometry: GroupNormGeometry { call.geometry }

  /// Whether g differs from dy and must be kept for the second phase.
  private var storesGradient: Bool { call.activation == .silu || call.dropout != nil }

  func accumulateSums(image: Int, chunk: Int) {
    let channels = geometry.channels
    let sums = partials.pointer + (image * geometry.chunks + chunk) * 2 * channels
    sums.update(repeating: 0, count: 2 * channels)
    withScratch(2 * channels) { shifts in
      call.putShiftsAndFactors(image: image, into: shifts)
      call.forEachBlock(image: image, chunk: chunk) { accumulate(image, $0, shifts, sums, multipliers: $1) }
    }
  }

  @inline(never)
  private func accumulate(
    _ image: Int, _ pixels: Range<Int>, _ shifts: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>,
    multipliers: UnsafePointer<Float>?
  ) {
    switch call.activation {
    case .identity: accumulate(IdentityFunction.self, image, pixels, shifts, sums, multipliers: multipliers)
    case .silu: accumulate(SiLUFunction.self, image, pixels, shifts, sums, multipliers: multipliers)
    }
  }

  private func accumulate<Function: ActivationFunction>(
    _: Function.Type, _ image: Int, _ pixels: Range<Int>, _ shifts: UnsafePointer<Float>,
    _ sums: UnsafeMutablePointer<Float>, multipliers: UnsafePointer<Float>?
  ) {
    let storesGradient = storesGradient
    let channels = geometry.channels
    for part in call.x {
      let offsets = call.affine.offset(image: image) + part.first
      let shifts = shifts + part.first
      let factors = shifts + channels
      let sums = sums + part.first
      let products = sums + channels
      for pixel in pixels {
        let number = image * geometry.pixels + pixel
        let source = part.pixel(number)
        let row = number * channels + part.first
        let multipliers = multipliers.map { $0 + (pixel - pixels.lowerBound) * channels + part.first }
        @inline(__always)
        func accumulateVector(_ c: Int, _ lanes: Int) {
          let centred = load(source + c, lanes) - load(shifts + c, lanes)
          var gradient = load(dy + row + c, lanes)
          if let multipliers { gradient *= load(multipliers + c, lanes) }
          gradient = Function.propagate(
            gradient, load(offsets + c, lanes).addingProduct(centred, load(factors + c, lanes)))
          if storesGradient { store(gradient, g + row + c, lanes) }
          store(load(sums + c, lanes) + gradient, sums + c, lanes)
          store(load(products + c, lanes).addingProduct(gradient, centred), products + c, lanes)
        }
        forEachVector(part.channels, accumulateVector)
      }
    }
  }

  func finishSums(image: Int) {
    let (channels, perGroup) = (geometry.channels, geometry.channelsPerGroup)
    let totals = sums.pointer + image * 2 * channels
    totals.update(repeating: 0, count: 2 * channels)
    for chunk in 0..<geometry.chunks {
      let partial = partials.pointer + (image * geometry.chunks + chunk) * 2 * channels
      for c in 0..<2 * channels { totals[c] += Double(partial[c]) }
    }
    let shifts = coefficients.pointer + image * 4 * channels
    call.putShiftsAndFactors(image: image, into: shifts)
    let (constants, slopes) = (shifts + 2 * channels, shifts + 3 * channels)
    let count = Double(geometry.pixels * perGroup)
    let scale = call.affine.scale(image: image)
    for group in 0..<geometry.groups {
      let range = group * perGroup..<(group + 1) * perGroup
      let inverse = Double(call.inverseStandardDeviations[image * geometry.groups + group])
      for c in range { totals[channels + c] *= inverse }
      let mean = range.reduce(0) { $0 + totals[$1] * Double(scale[$1]) } / count
      let product = range.reduce(0) { $0 + totals[channels + $1] * Double(scale[$1]) } / count
      for c in range {
        constants[c] = Float(mean * inverse)
        slopes[c] = Float(product * inverse * inverse)
      }
    }
  }

  func propagate(image: Int, chunk: Int) {
    let (channels, pixels) = (geometry.channels, geometry.chunk(chunk))
    let gradients = storesGradient ? UnsafePointer(g) : dy
    for (part, result) in zip(call.x, dx) {
      let (whole, addends) = (result.target.pointer, result.addend.map { UnsafePointer($0.pointer) })
      let shifts = UnsafePointer(coefficients.pointer + image * 4 * channels + part.first)
      let (factors, constants, slopes) = (shifts + channels, shifts + 2 * channels, shifts + 3 * channels)
      for pixel in pixels {
        let number = image * geometry.pixels + pixel
        let (source, gradient) = (part.pixel(number), gradients + number * channels + part.first)
        let target = whole + number * part.channels
        let addend = addends.map { $0 + number * part.channels }
        @inline(__always)
        func propagateVector(_ c: Int, _ lanes: Int) {
          let centred = load(source + c, lanes) - load(shifts + c, lanes)
          let mean = load(constants + c, lanes).addingProduct(centred, load(slopes + c, lanes))
          var value = (-mean).addingProduct(load(gradient + c, lanes), load(factors + c, lanes))
          if let addend { value += load(addend + c, lanes) }
          store(value, target + c, lanes)
        }
        forEachVector(part.channels, propagateVector)
      }
    }
  }

  /// Adds the sums over images, in order and in double precision.
  func addParameterGradients(
    modulation: UnsafePointer<Float>?, dScale: UnsafeMutablePointer<Float>, dOffset: UnsafeMutablePointer<Float>
  ) {
    let channels = geometry.channels
    for c in 0..<channels {
      var (offset, scale) = (0.0, 0.0)
      for image in 0..<geometry.images {
        let factor = modulation.map { 1 + Double($0[image * 2 * channels + c]) } ?? 1
        offset += factor * sums.pointer[image * 2 * channels + c]
        scale += factor * sums.pointer[(image * 2 + 1) * channels + c]
      }
      dOffset[c] += Float(offset)
      dScale[c] += Float(scale)
    }
  }

  /// ds and db of each image: [images, 2, channels].
  func fillModulationGradients(
    scale: UnsafePointer<Float>, offset: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>
  ) {
    let channels = geometry.channels
    for image in 0..<geometry.images {
      let first = image * 2 * channels
      let (gradients, products) = (sums.pointer + first, sums.pointer + first + channels)
      for c in 0..<channels {
        target[first + c] = Float(Double(scale[c]) * products[c] + Double(offset[c]) * gradients[c])
        target[first + channels + c] = Float(gradients[c])
      }
    }
  }
}
