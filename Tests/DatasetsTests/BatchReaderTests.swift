import Datasets
import Synchronization
import Tensors
import Testing

@Suite struct BatchReaderTests {
  /// Shapes that pretend to be read from files, of which one may be damaged, and record what was read.
  private final class SlowShapes: ImageDataset {
    private let shapes = Shapes(count: 20, size: 8)
    private let damaged: Int?
    let read = Mutex<[Int]>([])

    init(damaged: Int? = nil) { self.damaged = damaged }

    var name: String { shapes.name }
    var count: Int { shapes.count }
    var imageShape: [Int] { [8, 8, 3] }
    var classNames: [String] { shapes.classNames }
    var allowsFlips: Bool { true }
    var fingerprint: UInt64 { shapes.fingerprint }
    var readsFiles: Bool { true }
    func label(of index: Int) -> Int? { shapes.label(of: index) }

    func copyBytes(of index: Int, into target: ByteTensor) throws {
      read.withLock { $0.append(index) }
      if index == damaged { throw Damage(index: index) }
      shapes.copyBytes(of: index, into: target)
    }
  }

  private struct Damage: Error, Equatable { var index: Int }

  private func plan(_ dataset: any ImageDataset) -> BatchPlan { BatchPlan(dataset: dataset, batchSize: 6, seed: 4) }

  @Test(arguments: [true, false])
  func batchesAreThoseOfThePlan(readsFiles: Bool) throws {
    let dataset: any ImageDataset = readsFiles ? SlowShapes() : Shapes(count: 20, size: 8)
    let plan = plan(dataset)
    let reader = BatchReader(plan, samples: 2..<6, steps: 3..<9)
    #expect(reader.readsFiles == readsFiles)
    let (expected, images) = (Tensor(uninitialised: [2, 8, 8, 3]), Tensor(uninitialised: [2, 8, 8, 3]))
    // In order, and then again a step that was already passed.
    for step in [3, 4, 5, 6, 7, 8, 4, 5] {
      try reader.prepare(step: step)
      for samples in [2..<4, 4..<6] {
        try plan.fillBatch(step: step, samples: samples, into: expected)
        try reader.fillBatch(step: step, samples: samples, into: images, workers: .callingThread)
        #expect(images.elements == expected.elements)
      }
    }
  }

  @Test func nextStepIsReadAheadUpToTheLastStep() throws {
    let dataset = SlowShapes()
    do {
      let reader = BatchReader(plan(dataset), samples: 0..<3, steps: 0..<3)
      try reader.prepare(step: 0)
      while dataset.read.withLock(\.count) < 6 {}
      try reader.prepare(step: 1)
      try reader.prepare(step: 2)
    }
    // Releasing the reader waits for pending reads.
    let expected = (0..<3).flatMap { step in (0..<3).map { plan(dataset).choice(step: step, sample: $0).index } }
    #expect(dataset.read.withLock { $0 } == expected)
  }

  @Test func aDamagedImageIsAnErrorInTheStepThatNeedsIt() throws {
    let index = plan(SlowShapes()).choice(step: 2, sample: 1).index
    let reader = BatchReader(plan(SlowShapes(damaged: index)), samples: 0..<3, steps: 0..<4)
    try reader.prepare(step: 0)
    try reader.prepare(step: 1)
    let images = Tensor(uninitialised: [3, 8, 8, 3])
    try reader.fillBatch(step: 1, samples: 0..<3, into: images, workers: .callingThread)
    #expect(throws: Damage(index: index)) { try reader.prepare(step: 2) }
    #expect(throws: Damage(index: index)) {
      try reader.fillBatch(step: 2, samples: 0..<3, into: images, workers: .callingThread)
    }
  }
}
