import Images
import Tensors

/// Colour images with their grey value as a last channel, which is given to the network: it learns to draw the colours
/// of a grey image.
package struct GreyConditionedImages: Dataset {
  /// The condition's name in `data.conditions`.
  package static let conditionName = "grey"

  private let base: any ImageDataset

  /// - Throws: `DatasetError` for grey images.
  package init(_ base: any ImageDataset) throws(DatasetError) {
    guard base.channels == 3 else {
      throw DatasetError(
        .wrongDimensions, "data.conditions", "grey is for colour images, but those of \(base.name) are grey",
        advice: "leave data.conditions empty")
    }
    self.base = base
  }

  package var name: String { base.name }
  package var count: Int { base.count }
  package var imageShape: [Int] { [base.height, base.width, 4] }
  package var conditionChannels: Int { 1 }
  package var images: (any ImageDataset)? { base }
  package var classNames: [String] { base.classNames }
  package var allowsFlips: Bool { base.allowsFlips }
  package var fingerprint: UInt64 { base.fingerprint }
  package var contentMark: UInt64 { base.contentMark }
  package var readsFiles: Bool { base.readsFiles }
  package var remarks: [String] { base.remarks }

  package func label(of index: Int) -> Int? { base.label(of: index) }

  package func copyValues(of index: Int, into target: Tensor, at position: Int, flipped: Bool) throws {
    let colours = try base.bytes(of: index)
    // The conversion of `pack` and `data.channels`, so that a grey file is the condition of its colour image.
    let grey = Image(width: width, height: height, channels: 3, pixels: colours.elements).inGrey.pixels
    let (start, width) = (position * elementsPerImage, self.width)
    for pixel in 0..<height * width {
      let from = flipped ? pixel + width - 1 - 2 * (pixel % width) : pixel
      let to = start + 4 * pixel
      for channel in 0..<3 { target[to + channel] = networkValue(of: colours[3 * from + channel]) }
      target[to + 3] = networkValue(of: grey[from])
    }
  }
}
