import Kernels
import Tensors

extension Tape {
  /// [first, second] along the channels: [N, H, W, C1] and [N, H, W, C2] to [N, H, W, C1 + C2].
  public func concatenate(_ first: Variable, _ second: Variable) -> Variable {
    let shape = first.value.shape
    precondition(shape.dropLast() == second.value.shape.dropLast())
    let (firstChannels, secondChannels) = (shape.last!, second.value.shape.last!)
    let rows = first.value.count / firstChannels
    let y = Tensor(uninitialised: shape.dropLast() + [firstChannels + secondChannels])
    Rows.concatenateChannels(
      first.value.pointer, second.value.pointer, into: y.pointer, rows: rows, channelsA: firstChannels,
      channelsB: secondChannels, workers: workers)
    return record(y, inputs: [first, second]) { [unowned self] dy, _ in
      let dFirst = Tensor(uninitialised: shape)
      let dSecond = Tensor(uninitialised: shape.dropLast() + [secondChannels])
      Rows.splitChannels(
        dy.pointer, into: dFirst.pointer, dSecond.pointer, rows: rows, channelsA: firstChannels,
        channelsB: secondChannels, workers: workers)
      first.addGradient(dFirst, workers: workers)
      second.addGradient(dSecond, workers: workers)
    }
  }

  /// Nearest-neighbour enlargement: [N, H, W, C] to [N, 2H, 2W, C].
  public func upsampleNearest(_ x: Variable) -> Variable {
    let shape = x.value.shape
    let y = Tensor(uninitialised: [shape[0], 2 * shape[1], 2 * shape[2], shape[3]])
    Resampling.upsampleNearest(
      x: x.value.pointer, y: y.pointer, images: shape[0], height: shape[1], width: shape[2], channels: shape[3],
      workers: workers)
    return record(y, inputs: [x]) { [unowned self] dy, _ in
      let dx = Tensor(uninitialised: shape)
      Resampling.upsampleNearestBackward(
        dy: dy.pointer, dx: dx.pointer, images: shape[0], height: shape[1], width: shape[2], channels: shape[3],
        workers: workers)
      x.addGradient(dx, workers: workers)
    }
  }
}
