import Kernels
import Tensors

extension Tape {
  /// [first, second] along the channels: [N, H, W, C1] and [N, H, W, C2] to [N, H, W, C1 + C2]. Not kept for the
  /// backward pass but copied again.
  public func concatenate(_ first: Variable, _ second: Variable) -> Variable {
    let shape = first.shape
    precondition(shape.dropLast() == second.shape.dropLast())
    let (firstChannels, secondChannels) = (shape.last!, second.shape.last!)
    let rows = first.value.count / firstChannels
    let (workers, profiler) = (workers, profiler)
    func concatenated(_ first: Tensor, _ second: Tensor) -> Tensor {
      let y = Tensor(uninitialised: shape.dropLast() + [firstChannels + secondChannels])
      profiler.measure(.concatenation, Work(floats: 2 * y.count)) {
        Rows.concatenateChannels(
          first.pointer, second.pointer, into: y.pointer, rows: rows, channelsA: firstChannels,
          channelsB: secondChannels, workers: workers)
      }
      return y
    }
    let y = concatenated(first.value, second.value)
    let (savedFirst, savedSecond) = (first.saved, second.saved)
    let slots = (first.gradient, second.gradient)
    return record(
      y, inputs: [first, second], recomputedBy: { concatenated(savedFirst.tensor, savedSecond.tensor) }
    ) { [unowned self] dy, _ in
      let dFirst = Tensor(uninitialised: shape)
      let dSecond = Tensor(uninitialised: shape.dropLast() + [secondChannels])
      profiler.measure(.concatenation, Work(floats: 2 * dy.count)) {
        Rows.splitChannels(
          dy.pointer, into: dFirst.pointer, dSecond.pointer, rows: rows, channelsA: firstChannels,
          channelsB: secondChannels, workers: workers)
      }
      slots.0.add(dFirst, on: self)
      slots.1.add(dSecond, on: self)
    }
  }
}
