import Tensors
import Threads

/// Reads one rank's images of each batch ahead: while a step is computed, a thread reads the images of the next one, so
/// that training waits for a slow file system only if reading takes longer than a step.
///
/// It holds the values of two steps in fixed buffers. Data that are in memory anyway are used directly, without a
/// thread.
package final class BatchReader {
  package let plan: BatchPlan
  /// This rank's samples of the global batch.
  private let samples: Range<Int>
  /// The range of steps.
  private let steps: Range<Int>
  private let thread: FetchingThread?

  package init(_ plan: BatchPlan, samples: Range<Int>, steps: Range<Int>) {
    self.plan = plan
    self.samples = samples
    self.steps = steps
    thread = plan.dataset.readsFiles ? FetchingThread(plan, samples: samples) : nil
  }

  /// Whether `prepare` must be called, which may fail.
  package var readsFiles: Bool { thread != nil }

  /// Waits until the images of a step have been read, and starts reading those of the next one.
  /// - Throws: `DatasetError` if one of this rank's images cannot be read.
  package func prepare(step: Int) throws {
    guard let thread else { return }
    try thread.take(step: step)
    if steps.contains(step + 1) { thread.fetch(step: step + 1) }
  }

  /// Writes some samples of a batch, [samples, H, W, C], as `BatchPlan.fillBatch` does.
  /// - Parameters:
  ///   - step: the step that was last prepared, if `readsFiles`.
  ///   - samples: some of this rank's samples.
  /// - Throws: the errors of `prepare`, if it was not called.
  package func fillBatch(step: Int, samples: Range<Int>, into images: Tensor, workers: WorkerPool) throws {
    guard let thread else {
      return try plan.fillBatch(step: step, samples: samples, into: images, workers: workers)
    }
    precondition(self.samples.contains(samples), "samples \(samples) are not among this rank's \(self.samples)")
    precondition(images.shape == [samples.count] + plan.dataset.imageShape, "the shape \(images.shape)")
    if thread.stepTaken != step { try prepare(step: step) }
    let first = samples.lowerBound - self.samples.lowerBound
    images.copy(thread.values[first..<first + samples.count])
  }
}

/// A thread that reads one step's values while those of another are in use. Only its owner calls it.
private final class FetchingThread {
  /// The state shared by the two threads.
  private enum Task: Sendable {
    case none
    case read(step: Int, into: Tensor)
    case done((any Error)?)
    case stop
  }

  private let task = Monitor(Task.none)
  private var thread: BackgroundThread?
  /// The step whose values are in use.
  private(set) var stepTaken: Int?
  /// The values in use, [samples, H, W, C], valid until the next `take`.
  private(set) var values: Tensor
  private var spare: Tensor
  private var stepAsked: Int?

  init(_ plan: BatchPlan, samples: Range<Int>) {
    values = Tensor(uninitialised: [samples.count] + plan.dataset.imageShape)
    spare = Tensor(uninitialised: values.shape)
    thread = BackgroundThread("read ahead") { [task] in
      while let (step, values) = Self.nextStep(task) {
        var problem: (any Error)?
        do { try plan.fillBatch(step: step, samples: samples, into: values) } catch { problem = error }
        task.update { [problem] in if case .read = $0 { $0 = .done(problem) } }
      }
    }
  }

  deinit {
    task.update { $0 = .stop }
    thread.take()?.join()
  }

  /// Starts reading a step's values.
  func fetch(step: Int) {
    if stepAsked != nil { _ = wait() }
    stepAsked = step
    task.update { [spare] in $0 = .read(step: step, into: spare) }
  }

  /// Waits for a step's values and makes them the ones in use.
  func take(step: Int) throws {
    if stepAsked != step { fetch(step: step) }
    stepAsked = nil
    if let error = wait() { throw error }
    swap(&values, &spare)
    stepTaken = step
  }

  /// The error of the step that is being read, once that is done.
  private func wait() -> (any Error)? {
    task.wait { if case .done(let error) = $0 { .some(error) } else { nil } }
  }

  // MARK: The thread

  /// nil at the end.
  private static func nextStep(_ task: Monitor<Task>) -> (Int, Tensor)? {
    task.wait {
      switch $0 {
      case .read(let step, let values): .some((step, values))
      case .stop: .some(nil)
      case .none, .done: nil
      }
    }
  }
}
