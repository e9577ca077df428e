import Testing

/// Small models of generated fields.
enum FieldFixture {
  static let tiny: Words = """
    --preset fields --set training.batch=4 --set training.micro_batch=1 --set training.steps=4
    --set training.checkpoint_every=2 --set training.keep_checkpoints=1 --set training.log_every=1
    --set training.sample_every=none --set sampling.steps=2 --set model.channels=16 --set model.multipliers=[1,1]
    --set model.attention_resolutions=[] --set training.schedule=constant
    """

  static let conditioned: Words = "\(tiny) --set data.channels=3 --set data.conditions=[field_3]"

  static let measured: Words = "--set evaluation.every=2 --set evaluation.count=10 --set evaluation.reference_count=20"

  /// A model of one variable, evaluated during training.
  static let run = Fixture("field", "train \(tiny) \(measured)", ranks: 2)

  /// A model of two variables that is given a third, evaluated during training.
  static let conditionedRun = Fixture(
    "conditioned-fields", "train \(conditioned) \(measured) --set evaluation.members=3 --set evaluation.split=test",
    ranks: 2)
}
