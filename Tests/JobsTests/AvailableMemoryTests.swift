import Jobs
import Testing

@Suite struct AvailableMemoryTests {
  private let meminfo = "MemTotal:       24576000 kB\nMemFree:         1000000 kB\nMemAvailable:   20000000 kB\n"

  @Test func isWhatTheSystemReckons() {
    #expect(AvailableMemory.read(membership: "0::/\n") { $0 == "/proc/meminfo" ? meminfo : nil } == 20_000_000 << 10)
    #expect(AvailableMemory.read(membership: "") { _ in nil } == nil)
  }

  /// SLURM limits the job's group, not the step's or the task's below it.
  @Test func isAtMostWhatAnyGroupAboveLeaves() {
    let files = [
      "/proc/meminfo": meminfo,
      "/sys/fs/cgroup/system.slice/job_7/memory.max": "8000000000\n",
      "/sys/fs/cgroup/system.slice/job_7/memory.current": "5000000000\n",
      "/sys/fs/cgroup/system.slice/job_7/step_0/memory.max": "max\n",
      "/sys/fs/cgroup/system.slice/job_7/step_0/memory.current": "5000000000\n",
    ]
    #expect(AvailableMemory.read(membership: "0::/system.slice/job_7/step_0\n") { files[$0] } == 3_000_000_000)
  }

  @Test func thisMachineTells() throws {
    #expect(try #require(AvailableMemory.bytes) > 1 << 20)
  }
}
