import Kernels
import Tensors

extension Tape {
  /// The mean over an image's pixels, [N, H, W, C] to [N, C].
  package func pixelMean(_ x: Variable) -> Variable {
    let (images, channels) = (x.shape[0], x.value.channels)
    let pixels = x.value.count / images / channels
    let y = Tensor(uninitialised: [images, channels])
    profiler.measure(.pixelMean, Work(floats: x.value.count)) {
      Rows.sumOverPixels(x.value, into: y, workers: workers)
      for index in 0..<y.count { y[index] /= Float(pixels) }
    }
    let (shape, slot) = (x.shape, x.gradient)
    return record(y, inputs: [x]) { [unowned self] dy, _ in
      profiler.measure(.pixelMean, Work(floats: shape.reduce(1, *))) {
        let share = Tensor(dy.elements.map { $0 / Float(pixels) }, shape: dy.shape)
        let dx = Tensor(shape: shape)
        Rows.addPerImage(share, to: dx, workers: workers)
        slot.add(dx, on: self)
      }
    }
  }
}
