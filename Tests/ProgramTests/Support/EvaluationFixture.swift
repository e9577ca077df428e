import Testing

/// Models of garments and the images that they draw, for evaluation.
enum EvaluationFixture {
  static let tiny: Words = """
    --set data.name=fashion-mnist --set training.batch=8 --set training.micro_batch=2 --set training.steps=6
    --set training.checkpoint_every=3 --set training.keep_checkpoints=1 --set training.log_every=2
    --set training.sample_every=100 --set sampling.count=2 --set sampling.steps=2 --set model.channels=16
    --set model.multipliers=[1,1] --set model.attention_resolutions=[]
    """

  static let run = Fixture("garments", "train \(tiny)", ranks: 2)
  static let classifier = Fixture("garment-classifier", "train-classifier \(tiny)")

  /// The arguments for evaluating the run.
  static var evaluate: Words {
    get async throws {
      "evaluate --checkpoint \(try await run.made) --count 40 --reference-count 60 --steps 2"
    }
  }

  /// Its output as JSON, without a cache.
  static let figures = Task { try await ddpm("\(try await evaluate) --json", ranks: 1, environment: noCache) }
  static let noCache = ["DDPM_REFERENCE_CACHE": "none"]

  /// Two files of 90 images.
  static let images = Task {
    let path = try await run.made
    var files: [String] = []
    for seed in 1...2 {
      let file = Fixture.root.path("garments-\(seed).h5")
      try await ddpm("sample --checkpoint \(path) --count 90 --steps 2 --seed \(seed) --output \(file)")
        .succeeds(saying: "Wrote")
      files.append(file)
    }
    return files
  }

  /// The statistics of the first file, as written by `fid`.
  static let statistics = Task {
    let files = try await images.value
    let file = Fixture.root.path("garments-1.npz")
    try await ddpm("fid \(files[0]) \(files[1]) --json --save-statistics \(file)", ranks: 2).succeeds()
    return file
  }

  /// User-defined features: those of the classifier.
  static let features = Task {
    let file = Fixture.root.path("mine.safetensors")
    try await ddpm("export --format features --name mine --checkpoint \(try await classifier.made) \(file)")
      .succeeds(saying: "features mine, 16 numbers per image, checksum")
    return file
  }
}
