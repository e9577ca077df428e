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
    let context = configuration.operatorContext(imageShape: [8, 8, 1])
    #expect(context.imageShape == [8, 8, 1])
    #expect(context.vertical == (periodicity == .height || periodicity == .both ? .periodic : .reflecting))
    #expect(context.horizontal == (periodicity == .width || periodicity == .both ? .periodic : .reflecting))
  }
}
