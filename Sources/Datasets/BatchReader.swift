import Glibc
import Tensors

/// The images of one rank's part of each batch, read ahead of need: while a step is computed, a thread fetches what the
/// next one takes, so that a slow file system is waited for only where it takes longer than a step.
///
/// What it holds are the bytes of two steps, at fixed places. Data that is in memory anyway is taken from there, and no
/// thread is started.
public final class BatchReader {
  public let plan: BatchPlan
  /// This rank's part of the global batch.
  private let samples: Range<Int>
  /// The steps there will be.
  private let steps: Range<Int>
  private let thread: FetchingThread?

  public init(_ plan: BatchPlan, samples: Range<Int>, steps: Range<Int>) {
    self.plan = plan
    self.samples = samples
    self.steps = steps
    thread = plan.dataset.readsFiles ? FetchingThread(plan, samples: samples) : nil
  }

  /// Whether `prepare` has to be called, and may fail.
  public var readsFiles: Bool { thread != nil }

  /// Waits until the images of a step are there, and has those of the next one fetched.
  /// - Throws: `DatasetError` if one of this rank's images cannot be read.
  public func prepare(step: Int) throws {
    guard let thread else { return }
    try thread.take(step: step)
    if steps.contains(step + 1) { thread.fetch(step: step + 1) }
  }

  /// Writes some samples of a batch, [samples, H, W, C], in [−1, 1], as `BatchPlan.fillBatch` does.
  /// - Parameters:
  ///   - step: the one last prepared, if there was need to.
  ///   - samples: some of this rank's.
  /// - Throws: what `prepare` throws, if that was not called.
  public func fillBatch(step: Int, samples: Range<Int>, into images: Tensor, workers: WorkerPool) throws {
    guard let thread else {
      return try plan.fillBatch(step: step, samples: samples, into: images, workers: workers)
    }
    precondition(self.samples.contains(samples), "samples \(samples) are not among this rank's \(self.samples)")
    precondition(images.shape == [samples.count] + plan.dataset.imageShape, "the shape \(images.shape)")
    if thread.stepTaken != step { try prepare(step: step) }
    let size = plan.dataset.elementsPerImage
    let (source, first) = (thread.taken + (samples.lowerBound - self.samples.lowerBound) * size, images.pointer)
    workers.forEach(samples.count) { offset in
      let choice = plan.choice(step: step, sample: samples.lowerBound + offset)
      plan.dataset.scale(source + offset * size, into: first + offset * size, flipped: choice.isFlipped)
    }
    withExtendedLifetime(images) {}
  }
}

/// A thread that reads one step's bytes while those of another are in use. Its owner alone calls it.
private final class FetchingThread {
  private let shared: Shared
  private var thread = pthread_t()
  /// The step whose bytes are in use, at `taken`.
  private(set) var stepTaken: Int?
  private(set) var taken: UnsafeMutablePointer<UInt8>
  private var spare: UnsafeMutablePointer<UInt8>
  private var stepAsked: Int?

  init(_ plan: BatchPlan, samples: Range<Int>) {
    let capacity = samples.count * plan.dataset.elementsPerImage
    taken = .allocate(capacity: capacity)
    spare = .allocate(capacity: capacity)
    shared = Shared(plan, samples)
    let status = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Shared>.fromOpaque(argument!).takeRetainedValue().loop()
        return nil
      }, Unmanaged.passRetained(shared).toOpaque())
    guard status == 0 else { fatalError("cannot start a reading thread: \(String(cString: strerror(status)))") }
  }

  deinit {
    shared.stop()
    pthread_join(thread, nil)
    taken.deallocate()
    spare.deallocate()
  }

  /// Begins to read a step's bytes.
  func fetch(step: Int) {
    if stepAsked != nil { _ = shared.wait() }
    stepAsked = step
    shared.ask(step: step, into: spare)
  }

  /// Makes a step's bytes those in use.
  func take(step: Int) throws {
    if stepAsked != step { fetch(step: step) }
    stepAsked = nil
    if let error = shared.wait() { throw error }
    swap(&taken, &spare)
    stepTaken = step
  }

  /// What the two threads hand to each other. One of them at a time touches the bytes: between `ask` and the return of
  /// `wait` the reader does.
  private final class Shared: @unchecked Sendable {
    private enum Task {
      case none
      case read(step: Int, into: UnsafeMutablePointer<UInt8>)
      case done((any Error)?)
      case stop
    }

    private let plan: BatchPlan
    private let samples: Range<Int>
    private var task = Task.none
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ plan: BatchPlan, _ samples: Range<Int>) {
      self.plan = plan
      self.samples = samples
      pthread_mutex_init(mutex, nil)
      pthread_cond_init(changed, nil)
    }

    deinit {
      pthread_cond_destroy(changed)
      pthread_mutex_destroy(mutex)
      changed.deallocate()
      mutex.deallocate()
    }

    func ask(step: Int, into destination: UnsafeMutablePointer<UInt8>) { set(.read(step: step, into: destination)) }

    func stop() {
      pthread_mutex_lock(mutex)
      // What is being read must be read to its end: its destination is about to go.
      while case .read = task { pthread_cond_wait(changed, mutex) }
      task = .stop
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }

    func wait() -> (any Error)? {
      pthread_mutex_lock(mutex)
      defer { pthread_mutex_unlock(mutex) }
      while true {
        if case .done(let error) = task { return error }
        pthread_cond_wait(changed, mutex)
      }
    }

    private func set(_ task: Task) {
      pthread_mutex_lock(mutex)
      self.task = task
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }

    func loop() {
      while let (step, destination) = nextTask() {
        do {
          try read(step, into: destination)
          set(.done(nil))
        } catch {
          set(.done(error))
        }
      }
    }

    private func nextTask() -> (Int, UnsafeMutablePointer<UInt8>)? {
      pthread_mutex_lock(mutex)
      defer { pthread_mutex_unlock(mutex) }
      while true {
        switch task {
        case .read(let step, let destination): return (step, destination)
        case .stop: return nil
        case .none, .done: pthread_cond_wait(changed, mutex)
        }
      }
    }

    private func read(_ step: Int, into destination: UnsafeMutablePointer<UInt8>) throws {
      let size = plan.dataset.elementsPerImage
      for sample in samples {
        let index = plan.choice(step: step, sample: sample).index
        try plan.dataset.copyBytes(of: index, into: destination + (sample - samples.lowerBound) * size)
      }
    }
  }
}
