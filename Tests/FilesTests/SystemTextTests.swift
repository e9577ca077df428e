import Files
import Testing

struct SystemTextTests {
  @Test func filesThatStateNoSizeAreReadToTheirEnd() throws {
    // More than a page, which is what the system gives at a time.
    let maps = try #require(systemText("/proc/self/smaps"))
    #expect(maps.utf8.count > 8192)
    #expect(maps.split(separator: "\n").last?.hasPrefix("VmFlags:") == true)
  }

  @Test func whatIsNotThereIsNil() {
    #expect(systemText("/proc/self/nothing") == nil)
    #expect(systemText("/proc") == nil)
  }
}
