import ArgumentParser
import Optimisation

struct LearningRatesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "learning-rates", abstract: "The learning rate of every step, for each schedule.")

  @Option var rate: Double
  @Option var warmup: Int
  @Option var decayStart: Int?
  @Option var steps: Int

  func run() throws {
    let rates = LearningRateSchedule.Decay.allCases.map { decay in
      let schedule = LearningRateSchedule(
        learningRate: rate, warmupSteps: warmup, decay: decay, decayStart: decayStart, steps: steps)
      return (decay.rawValue, (1...steps).map(schedule.rate))
    }
    try printJSON(Dictionary(uniqueKeysWithValues: rates))
  }
}
