import Ranks
import Testing

@Suite struct ProcessorQuotaTests {
  @Test(
    arguments: [
      ("0::/", ["/sys/fs/cgroup/cpu.max": "200000 100000\n"], 2.0),
      ("0::/", ["/sys/fs/cgroup/cpu.max": "max 100000\n"], nil),
      ("0::/a/b", ["/sys/fs/cgroup/a/b/cpu.max": "50000 100000", "/sys/fs/cgroup/cpu.max": "300000 100000"], 0.5),
      ("0::/hidden", ["/sys/fs/cgroup/cpu.max": "300000 100000"], 3),
      (
        "4:memory:/x\n2:cpu,cpuacct:/x\n0::/",
        [
          "/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us": "150000\n",
          "/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
        ],
        1.5
      ),
      (
        "1:cpu:/",
        ["/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"], nil
      ),
      ("", [:], nil),
    ] as [(String, [String: String], Double?)])
  func readsTheLimitOfAControlGroup(membership: String, files: [String: String], quota: Double?) {
    let files = files.merging(["/proc/self/cgroup": membership]) { $1 }
    #expect(ProcessorQuota.read { files[$0] } == quota)
  }
}
