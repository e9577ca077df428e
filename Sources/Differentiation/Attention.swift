import Kernels
import Tensors

extension Tape {
  /// Scaled dot-product attention over the pixels of each image: softmax(q·kᵀ/√d)·v over the d = C / heads channels of
  /// each head.
  ///
  /// - Parameters:
  ///   - query: [N, …, C], where the dimensions in between are tokens.
  ///   - key: like query.
  ///   - value: like query.
  ///   - heads: the number of heads; head h uses the channels h·d ..< (h + 1)·d.
  /// - Returns: [N, …, C].
  package func attention(query: Variable, key: Variable, value: Variable, heads: Int = 1) -> Variable {
    let shape = query.shape
    precondition(shape == key.shape && shape == value.shape)
    let geometry = Attention.Geometry(shape, heads: heads)
    let y = Tensor(uninitialised: shape)
    profiler.measure(.attentionForward, geometry.forwardWork) {
      Attention.forward(
        query: query.value, key: key.value, value: value.value, into: y, heads: heads, workers: workers)
    }

    let (savedQuery, savedKey, savedValue) = (query.saved, key.saved, value.saved)
    let slots = (query.gradient, key.gradient, value.gradient)
    return record(y, inputs: [query, key, value]) { [unowned self] dy, _ in
      let dQuery = Tensor(uninitialised: shape)
      let dKey = Tensor(uninitialised: shape)
      let dValue = Tensor(uninitialised: shape)
      profiler.measure(.attentionBackward, geometry.backwardWork) {
        Attention.backward(
          query: savedQuery.tensor, key: savedKey.tensor, value: savedValue.tensor, dy: dy, dQuery: dQuery,
          dKey: dKey, dValue: dValue, heads: heads, workers: workers)
      }
      slots.0.add(dQuery, on: self)
      slots.1.add(dKey, on: self)
      slots.2.add(dValue, on: self)
    }
  }
}
