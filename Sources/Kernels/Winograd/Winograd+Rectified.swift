import Tensors

extension Winograd {
  /// y = max(x ∗ kernel + bias, 0) for inference: a stride-1 3x3 convolution with or without a border of one zero,
  /// written to a range of y's channels.
  ///
  /// - Parameters:
  ///   - x: [N, H, W, in].
  ///   - kernel: [3, 3, in, out].
  ///   - bias: [out].
  ///   - pad: width of the border, 0 or 1.
  ///   - y: [N, H + 2·pad − 2, W + 2·pad − 2, out]; overwritten.
  package static func convolveRectified(
    _ x: ImageView, kernel: FloatBuffer, bias: FloatBuffer, pad: Int, into y: ImageView, workers: WorkerPool
  ) {
    verify(pad == 0 || pad == 1, "the border must be 0 or 1 wide")
    verify(kernel.count == 9 * x.channels * y.channels && bias.count == y.channels, "the kernel does not fit")
    verify(
      y.images == x.images && y.height == x.height + 2 * pad - 2 && y.width == x.width + 2 * pad - 2,
      "y does not have the result's shape")
    let (tileRows, tileColumns) = ((y.height + 3) / 4, (y.width + 3) / 4)
    func windows(_ view: ImageView, size: Int, rim: Int) -> TileWindows {
      TileWindows(
        height: view.height, width: view.width, channels: view.pixelStride, tileRows: tileRows,
        tileColumns: tileColumns, step: 4, size: size, rim: rim)
    }
    let pass = WinogradPass(
      x: x.pointer, inputs: windows(x, size: 6, rim: pad),
      kernel: WinogradWeights(
        taps: kernel.pointer, inChannels: x.channels, outChannels: y.channels, isAdjoint: false),
      y: y.pointer, outputs: windows(y, size: 4, rim: 0), tileCount: x.images * tileRows * tileColumns,
      addends: WinogradTiles.Addends(bias: UnsafePointer(bias.pointer), rectifies: true))
    pass.run(SixPoints.self, workers: workers)
    withExtendedLifetime((x, y, kernel, bias)) {}
  }
}
