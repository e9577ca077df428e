import Tensors

/// Calls `body` for every image, on the workers if there are any. No two images may write to the same memory.
func forEachImage(_ count: Int, _ workers: WorkerPool?, _ body: (Int) -> Void) {
  if let workers {
    workers.forEach(count, body)
  } else {
    for image in 0..<count { body(image) }
  }
}

/// The range of one image's elements in an [N, …] tensor.
func elementRange(of image: Int, in images: Tensor) -> Range<Int> {
  let size = images.count / images.shape[0]
  return image * size..<(image + 1) * size
}
