import Ranks
import Testing

@Suite struct AvailableMemoryTests {
  private let meminfo = "MemTotal:       24576000 kB\nMemFree:         1000000 kB\nMemAvailable:   20000000 kB\n"

  @Test func isTheSystemsEstimate() {
    let files = ["/proc/self/cgroup": "0::/\n", "/proc/meminfo": meminfo]
    #expect(AvailableMemory.read { files[$0] } == 20_000_000 << 10)
    #expect(AvailableMemory.read { _ in nil } == nil)
  }

  /// SLURM limits the job's group, not the groups of the step or the task below it.
  @Test func isLimitedByEveryParentGroup() {
    let files = [
      "/proc/self/cgroup": "0::/system.slice/job_7/step_0\n", "/proc/meminfo": meminfo,
      "/sys/fs/cgroup/system.slice/job_7/memory.max": "8000000000\n",
      "/sys/fs/cgroup/system.slice/job_7/memory.current": "5000000000\n",
      "/sys/fs/cgroup/system.slice/job_7/step_0/memory.max": "max\n",
      "/sys/fs/cgroup/system.slice/job_7/step_0/memory.current": "5000000000\n",
    ]
    #expect(AvailableMemory.read { files[$0] } == 3_000_000_000)
  }

  /// Cached files are dropped if memory is needed.
  @Test func cachedFilesDoNotCount() {
    let files = [
      "/proc/self/cgroup": "0::/\n",
      "/sys/fs/cgroup/memory.max": "8000000000\n", "/sys/fs/cgroup/memory.current": "7000000000\n",
      "/sys/fs/cgroup/memory.stat": "anon 1\ninactive_file 6000000000\nactive_file 5\n",
    ]
    #expect(AvailableMemory.read { files[$0] } == 7_000_000_000)
  }

  @Test func controlGroupsOfVersionOneAreRead() throws {
    let folder = "/sys/fs/cgroup/memory/slurm/job_7"
    let files = [
      "/proc/self/cgroup": "5:cpuset:/slurm\n4:cpu,memory:/slurm/job_7/task_0\n0::/\n",
      "\(folder)/memory.limit_in_bytes": "4000000000\n", "\(folder)/memory.usage_in_bytes": "1000000000\n",
      "\(folder)/task_0/memory.limit_in_bytes": "9223372036854771712\n",
      "\(folder)/task_0/memory.usage_in_bytes": "1000000000\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    ]
    #expect(AvailableMemory.read { files[$0] } == 3_000_000_000)
    let groups = ControlGroup.groups { files[$0] }
    #expect(groups.map(\.path).contains(folder))
    #expect(groups.compactMap(\.limit) == [4_000_000_000])
  }

  @Test func theProcesssOwnLimitCounts() {
    let status = "Name:\tddpm-mpi\nVmPeak:\t  900000 kB\nVmSize:\t  800000 kB\n"
    func limits(_ soft: String) -> String {
      "Limit                     Soft Limit           Hard Limit           Units     \n"
        + "Max address space         \(soft)           unlimited            bytes     \n"
    }
    var files = ["/proc/meminfo": meminfo, "/proc/self/status": status, "/proc/self/limits": limits("4096000000")]
    #expect(AvailableMemory.read { files[$0] } == 4_096_000_000 - 800_000 << 10)
    files["/proc/self/limits"] = limits("unlimited ")
    #expect(AvailableMemory.read { files[$0] } == 20_000_000 << 10)
  }

  @Test func thisMachineReportsItsMemory() throws {
    #expect(try #require(AvailableMemory.total) >= (try #require(AvailableMemory.bytes)))
    #expect(try #require(AvailableMemory.bytes) > 1 << 20)
  }
}
