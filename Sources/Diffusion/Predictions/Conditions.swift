import Tensors

/// What a network is given for each of N images, besides x_t and t.
package struct Conditions: Sendable {
  /// The class of each image, nil for the null class; nil for a network without classes.
  package var classes: [Int?]?
  /// The given channels of each image, [N, H, W, k], as the network takes them; nil for a network without them.
  package var fields: Tensor?

  package init(classes: [Int?]? = nil, fields: Tensor? = nil) {
    self.classes = classes
    self.fields = fields
  }

  package static let none = Conditions()

  /// Those of the images with these indices, in this order.
  package func rows(_ images: [Int]) -> Conditions {
    Conditions(classes: classes.map { known in images.map { known[$0] } }, fields: fields.map { $0.images(images) })
  }

  /// What classifier-free guidance extrapolates from: the null class, and zeros as given channels. Only what was hidden
  /// at times in training may be hidden here.
  package func hidden(classes hidesClasses: Bool, fields hidesFields: Bool) -> Conditions {
    var result = self
    if hidesClasses { result.classes = classes.map { [Int?](repeating: nil, count: $0.count) } }
    if hidesFields { result.fields = fields.map { Tensor(shape: $0.shape) } }
    return result
  }
}

extension Tensor {
  /// The images with these indices, in this order; the same storage if they are all images in order.
  fileprivate func images(_ indices: [Int]) -> Tensor {
    if indices.elementsEqual(0..<shape[0]) { return self }
    let result = Tensor(uninitialised: [indices.count] + shape.dropFirst())
    for (row, index) in indices.enumerated() { result[image: row].copy(self[image: index]) }
    return result
  }
}
