import Kernels
import Tensors

extension Tape {
  /// Scaled dot-product attention over the pixels of each image: softmax(q·kᵀ/√d)·v of every head's d = C / heads
  /// channels.
  ///
  /// - Parameters:
  ///   - query: [N, …, C], the dimensions between being tokens.
  ///   - key: like query.
  ///   - value: like query.
  ///   - heads: head h has the channels from h·d to (h + 1)·d.
  /// - Returns: [N, …, C].
  public func attention(query: Variable, key: Variable, value: Variable, heads: Int = 1) -> Variable {
    let shape = query.shape
    precondition(shape == key.shape && shape == value.shape)
    let (images, channels) = (shape[0], shape[shape.count - 1])
    let geometry = Attention.Geometry(
      images: images, tokens: shape.reduce(1, *) / images / channels, channels: channels, heads: heads)
    let y = Tensor(uninitialised: shape)
    profiler.measure(.attentionForward, geometry.forwardWork) {
      Attention.forward(
        query: query.value.pointer, key: key.value.pointer, value: value.value.pointer, y: y.pointer,
        geometry: geometry, workers: workers)
    }

    let (savedQuery, savedKey, savedValue) = (query.saved, key.saved, value.saved)
    let slots = (query.gradient, key.gradient, value.gradient)
    return record(y, inputs: [query, key, value]) { [unowned self] dy, _ in
      let dQuery = Tensor(uninitialised: shape)
      let dKey = Tensor(uninitialised: shape)
      let dValue = Tensor(uninitialised: shape)
      profiler.measure(.attentionBackward, geometry.backwardWork) {
        Attention.backward(
          query: savedQuery.tensor.pointer, key: savedKey.tensor.pointer, value: savedValue.tensor.pointer,
          dy: dy.pointer, dQuery: dQuery.pointer, dKey: dKey.pointer, dValue: dValue.pointer, geometry: geometry,
          workers: workers)
      }
      slots.0.add(dQuery, on: self)
      slots.1.add(dKey, on: self)
      slots.2.add(dValue, on: self)
    }
  }
}
