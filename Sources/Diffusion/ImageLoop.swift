import Tensors

/// Calls `body` for every image, by the workers if there are any. Images never share a result.
func forEachImage(_ count: Int, _ workers: WorkerPool?, _ body: (Int) -> Void) {
  if let workers {
    workers.forEach(count, body)
  } else {
    for image in 0..<count { body(image) }
  }
}

/// Where one image of an [N, …] tensor lies among its elements.
func elementRange(of image: Int, in images: Tensor) -> Range<Int> {
  let size = images.count / images.shape[0]
  return image * size..<(image + 1) * size
}
