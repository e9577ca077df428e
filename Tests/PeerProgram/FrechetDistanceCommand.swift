import ArgumentParser
import Evaluation

struct FrechetDistanceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "frechet-distance", abstract: "The Fréchet distance of two files of statistics.")

  @Argument(help: "An npz file with mu and sigma.") var first: String
  @Argument(help: "Another one.") var second: String

  func run() throws {
    let first = try StatisticsFile(readingFrom: self.first)
    let second = try StatisticsFile(readingFrom: self.second)
    try printJSON(try Answer { try FrechetDistance(first.statistics, second.statistics) })
  }
}
