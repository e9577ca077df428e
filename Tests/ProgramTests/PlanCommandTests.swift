import Testing

struct PlanCommandTests {
  private struct Plan: Decodable {
    struct Row: Decodable {
      let ranksPerNode: Int
      let threads: Int
      let secondsPerStep: Double
      let exposedSeconds: Double
      let networkSeconds: Double
      let efficiency: Double
    }
    let rows: [Row]
    let parameters: Double
    let checkpointBytes: Double
    let checkpointSeconds: Double?
  }

  @Test func tableFitsInto120Columns() async throws {
    let run = try await ddpm("plan --preset shapes --nodes 4 --cores-per-node 4 --network-gbps 10")
    run.succeeds(saying: #/(?m)^ +4 +[0-9]+ x [0-9]+ /#)
    #expect(run.lines.allSatisfy { $0.count <= 120 }, "\(run)")
    run.succeeds(saying: #/(?m)^On 4 nodes: --ntasks-per-node=\d+ --cpus-per-task=\d+ --mem-per-cpu=\d+M, and /#)
  }

  @Test func withoutOverlapMachinesWaitForTheNetwork() async throws {
    let plan = try await ddpm(
      "plan --preset shapes --nodes 2 --cores-per-node 1 --network-gbps 1 --set training.overlap=false --json"
    ).json(as: Plan.self)
    try #require(plan.rows.count == 2)
    let (one, two) = (plan.rows[0], plan.rows[1])
    #expect(one.exposedSeconds == 0 && two.exposedSeconds > 0)
    // All network time is exposed, except for rounding.
    #expect(two.exposedSeconds >= two.networkSeconds * 0.999)
    #expect(two.secondsPerStep < one.secondsPerStep)
    #expect(two.efficiency > 0.5 && two.efficiency <= 1)
    #expect(plan.checkpointBytes >= 4 * 4 * plan.parameters)
  }

  @Test func planUsesTheDescribedMachines() async throws {
    let plan = try await ddpm(
      """
      plan --preset shapes --nodes 2 --cores-per-node 2 --network-gbps 1 --json --ranks-per-node 1
      --network-latency-us 5000 --core-network-gbytes 1 --memory-gbytes 10 --storage-gbytes 0.001 --core-speed 0.001
      """
    ).json(as: Plan.self)
    try #require(plan.rows.count == 2)
    let (one, two) = (plan.rows[0], plan.rows[1])
    #expect(one.ranksPerNode == 1 && one.threads == 2)
    #expect(two.networkSeconds > 0.005)
    let seconds = try #require(plan.checkpointSeconds)
    #expect(abs(seconds - plan.checkpointBytes / 1e6) < 0.01 * seconds)
    // A thousandth of this machine's speed.
    #expect(one.secondsPerStep > 5)
  }

  /// For the images that it is made for, here with a third of its channels.
  @Test func aPresetForTheUsersOwnImagesNeedsNoData() async throws {
    let small: Words = "--preset imagenet64-adm --set model.channels=64 --set training.micro_batch=1"
    let plan = try await ddpm(
      "plan \(small) --set training.recompute_activations=blocks --nodes 2 --cores-per-node 1 --network-gbps 10 --json"
    ).json(as: Plan.self)
    #expect(plan.rows.count == 2)
    #expect(plan.parameters == 33_107_270)
    try await ddpm("plan --set data.name=hdf5 --nodes 2 --cores-per-node 1 --network-gbps 10")
      .ends(2, saying: "the size of the images of data.name hdf5 is not known")
  }

  @Test func invalidPlansAreRefused() async throws {
    try await ddpm("plan --preset shapes --nodes 64 --cores-per-node 1 --network-gbps 1")
      .ends(2, saying: "nodes 64 is more than the 16 images of a batch")
    try await ddpm("plan --nodes 2 --cores-per-node 1 --network-gbps 0").ends(2, saying: "--network-gbps is 0")
    try await ddpm("plan --nodes 2 --cores-per-node 1 --network-gbps 1", ranks: 2)
      .ends(2, saying: "plan works in one process")
  }
}
