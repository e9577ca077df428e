import Configuration
import Diffusion
import Kernels
import Testing

struct RestorationTests {
  /// A blur continues an image as the network does.
  @Test(arguments: Periodicity.allCases)
  func blursArePeriodicWhereTheModelIs(_ periodicity: Periodicity) {
    var configuration = RunConfiguration()
    configuration.model.periodicity = periodicity
    let surroundings = configuration.operatorSurroundings(imageShape: [8, 8, 1])
    #expect(surroundings.imageShape == [8, 8, 1])
    #expect(surroundings.vertical == (periodicity == .height || periodicity == .both ? .periodic : .reflecting))
    #expect(surroundings.horizontal == (periodicity == .width || periodicity == .both ? .periodic : .reflecting))
  }
}
