import CFashionMNISTClassifier
import FoundationEssentials
import Interchange

/// The classifier that is part of the program, for Fashion-MNIST's ten classes, trained by
/// `scripts/build/embedded-classifier.sh`.
package enum EmbeddedClassifier {
  package static let name = "fashion-mnist-classifier"

  /// - Throws: never, if the program was built from an unmodified checkout.
  package static func load() throws -> ClassifierFeatures {
    guard let start = UnsafeMutableRawPointer(mutating: ddpm_fashion_mnist_classifier()) else {
      throw FeatureNetworkError("this program was built without the weights of \(name)")
    }
    let count = Int(ddpm_fashion_mnist_classifier_count())
    let contents = Data(bytesNoCopy: start, count: count, deallocator: .none)
    return try ClassifierFeatures(Safetensors(contents, path: "the weights of \(name) inside the program"))
  }
}
