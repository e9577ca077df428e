import Failures
import Foundation
import MessagePassing
import Tensors

/// Small enough that the buffers of these checks are divided into several messages, the last one shorter.
private let smallMessage = 7

let messagePassingChecks: [Check] = [
  Check("the session is initialised once and reports its library") { context in
    try expect(MPISession.isInitialised, "the session is not initialised")
    let again = try MPISession.initialise()
    try expectEqual([again.rank, again.size], [context.rank, context.size])
    try expect(try MPILibrary.version().contains("MPI"), "no library version")
    try expect(try !context.communicator.processorName.isEmpty, "no processor name")
  },

  Check("hosts are connected, and none is lost while all are there") { context in
    let hosts = (0..<context.size).map { "host\($0 / 2)" }
    let links = try HostLinks(hosts: hosts, over: context.communicator, seconds: 10)
    // A machine may have no network, only loopback.
    let others = Array(Set(hosts.dropFirst(2))).sorted()
    try expect(
      links.unconnectedHosts.isEmpty || links.unconnectedHosts == others, "\(links.unconnectedHosts) are not connected")
    try expect(links.lostHost == nil, "\(links.lostHost ?? "") is lost")
    try context.communicator.barrier()
    try expect(links.lostHost == nil, "\(links.lostHost ?? "") is lost")
  },

  Check("broadcast copies elements and structures from every root") { context in
    for communicator in [context.communicator, context.communicator.limitingMessages(to: smallMessage)] {
      for root in 0..<context.size {
        let expected = (0..<50 + root).map { UInt16($0 * 300 + root) }
        let elements = buffer(context.rank == root ? expected : [UInt16](repeating: 0, count: expected.count))
        try communicator.broadcast(elements, from: root)
        try expectEqual(elements.elements, expected)
        let text = context.rank == root ? "grüße von \(context.rank)" : nil
        try expectEqual(try communicator.broadcast(encoding: text, from: root), "grüße von \(root)")
      }
    }
  },

  Check("broadcast of nothing gives nothing") { context in
    let root = context.size - 1
    try context.communicator.broadcast(Buffer<Float>(count: 0), from: root)
    try expectEqual(try context.communicator.broadcast(encoding: [String](), from: root), [])
    try expectEqual(try context.communicator.broadcast(encoding: "", from: root), "")
  },

  Check("a value that cannot be encoded on one rank is a failure on all") { context in
    let failure = try expectError(JobFailure.self) {
      _ = try context.communicator.allGather(encoding: context.rank == context.size - 1 ? Double.nan : 1)
    }
    try expectEqual(failure.rank, context.size - 1)
  },

  Check("all-gather returns values in rank order") { context in
    let integers = try context.communicator.allGather(context.rank << 40)
    let numbers = try context.communicator.allGather(0.5 + Double(context.rank))
    try expectEqual(integers, (0..<context.size).map { $0 << 40 })
    try expectEqual(numbers, (0..<context.size).map { 0.5 + Double($0) })
  },

  Check("gathered strings and elements keep their lengths, even empty ones") { context in
    let texts = (0..<context.size).map { String(repeating: "é", count: ($0 * 5) % 7) }
    let parts = (0..<context.size).map { rank in [Double](repeating: Double(rank), count: (rank * 5) % 7) }
    let root = context.size / 2
    let everywhere = try context.communicator.allGather(encoding: texts[context.rank])
    let elements = try context.communicator.allGather(parts[context.rank], counts: parts.map(\.count))
    let atRoot = try context.communicator.gather(parts[context.rank], to: root)
    try expectEqual(everywhere, texts)
    try expectEqual(elements, parts.flatMap(\.self))
    try expectEqual(atRoot, context.rank == root ? parts.flatMap(\.self) : nil)
  },

  Check("reductions of integers") { context in
    let values = (0..<context.size).map { rank in ((rank * 5 + 2) % 7 - 3) << 33 }
    let maximum = try context.communicator.allReduceMaximum(values[context.rank])
    let minimum = try context.communicator.allReduceMinimum(values[context.rank])
    let sum = try context.communicator.allReduceSum(values[context.rank])
    try expectEqual([maximum, minimum, sum], [values.max()!, values.min()!, values.reduce(0, +)])
  },

  Check("sum of float buffers, in one message and in many") { context in
    for communicator in [context.communicator, context.communicator.limitingMessages(to: smallMessage)] {
      for count in [0, 1, 7, 40] {
        // Integers, so that the order of additions does not matter.
        let numbers = buffer((0..<count).map { Float($0 * (context.rank + 1)) })
        try communicator.allReduceSum(numbers)
        let factor = context.size * (context.size + 1) / 2
        try expectEqual(numbers.elements, (0..<count).map { Float($0 * factor) })
      }
    }
  },

  Check("messages arrive at their destinations in the order in which they were sent") { context in
    // Two messages to every rank under one tag, of different lengths, and one under another tag, sent first.
    let (rank, size) = (context.rank, context.size)
    func contents(_ from: Int, _ to: Int, _ number: Int) -> [Float] {
      (0..<100 * number + from + 2 * to).map { Float(from * 10_000 + to * 1000 + number * 100 + $0) }
    }
    let sent = MessageSet(context.communicator, capacity: 3 * size)
    let received = MessageSet(context.communicator, capacity: 3 * size)
    let outgoing = (0..<size).map { to in [3, 1, 2].map { buffer(contents(rank, to, $0)) } }
    let incoming = (0..<size).map { from in
      [1, 2, 3].map { buffer([Float](repeating: -1, count: contents(from, rank, $0).count)) }
    }
    for other in 0..<size where other != rank {
      for (block, tag) in zip(outgoing[other], [7, 5, 5]) {
        try sent.send(0..<block.count, of: block, to: other, tag: tag)
      }
      for (block, tag) in zip(incoming[other], [5, 5, 7]) {
        try received.receive(0..<block.count, of: block, from: other, tag: tag)
      }
    }
    while try !received.advance() {}
    while try !sent.advance() {}
    try expect(try received.advance() && sent.advance(), "messages are left")
    for other in 0..<size where other != rank {
      for (block, number) in zip(incoming[other], [1, 2, 3]) {
        try expectEqual(block.elements, contents(other, rank, number))
      }
    }
  },

  Check("pending messages keep their buffers, even if their set is released") { context in
    // A separate group: the message that never arrives must not match another one.
    guard context.size > 1, let group = try context.communicator.split(group: 0) else { return }
    weak var held: Buffer<Float>?
    weak var kept: Buffer<Float>?
    let other = (context.rank + 1) % context.size
    do {
      let messages = MessageSet(group.communicator, capacity: 1)
      do {
        let incoming = buffer([Float](repeating: 0, count: 3))
        held = incoming
        try messages.receive(0..<3, of: incoming, from: other, tag: 1)
      }
      try expect(held != nil, "the buffer of a message under way is gone")
      messages.cancelReceives()
      try expect(held == nil, "the buffer of a message that was taken back is kept")
      let abandoned = buffer([Float](repeating: 0, count: 3))
      kept = abandoned
      try messages.receive(0..<3, of: abandoned, from: other, tag: 1)
    }
    try expect(kept != nil, "the library may write to a buffer that is gone")
    // It arrives after all. Otherwise it could receive a message of another group: MPICH numbers groups, and gives the
    // numbers of those that are closed to new ones. Without this barrier, it could arrive before the first receive, too.
    try group.communicator.barrier()
    let late = MessageSet(group.communicator, capacity: 1)
    let receiver = (context.rank + context.size - 1) % context.size
    try late.send(0..<3, of: buffer([Float](repeating: 1, count: 3)), to: receiver, tag: 1)
    while try !late.advance() {}
    // When the next one has arrived, so has this.
    let last = MessageSet(group.communicator, capacity: 2)
    try last.receive(0..<3, of: buffer([Float](repeating: 0, count: 3)), from: other, tag: 2)
    try last.send(0..<3, of: buffer([Float](repeating: 2, count: 3)), to: receiver, tag: 2)
    while try !last.advance() {}
    let arrived = kept?.elements
    try group.communicator.barrier()
    try group.close()
    try expectEqual(arrived, [1, 1, 1])
  },

  Check("all-gather of uneven parts, in one call and by broadcasts") { context in
    for communicator in [context.communicator, context.communicator.limitingMessages(to: smallMessage)] {
      for counts in [(0..<context.size).map { ($0 * 7 + 3) % 10 }, (0..<context.size).map { $0 == 0 ? 19 : 0 }] {
        // A gap of one element after every part must not change.
        let displacements = counts.indices.map { rank in counts[..<rank].reduce(0, +) + rank }
        let total = counts.reduce(0, +) + context.size
        var expected = [Float](repeating: -1, count: total)
        for (start, count) in zip(displacements, counts) {
          for index in start..<start + count { expected[index] = Float(index) }
        }
        let floats = buffer([Float](repeating: -1, count: total))
        let doubles = buffer([Double](repeating: -1, count: total))
        let parts = zip(displacements, counts).map { $0..<$0 + $1 }
        for index in parts[context.rank] {
          floats[index] = Float(index)
          doubles[index] = Double(index)
        }
        try communicator.allGather(parts, of: floats)
        try communicator.allGather(parts, of: doubles)
        try expectEqual(floats.elements, expected)
        try expectEqual(doubles.elements, expected.map(Double.init))
      }
    }
  },

  Check("uneven parts are gathered on the root, in one call and in many") { context in
    let root = context.size - 1
    var wrong: [[Int]] = []
    for communicator in [context.communicator, context.communicator.limitingMessages(to: smallMessage)] {
      for counts in [(0..<context.size).map { ($0 * 7 + 3) % 10 }, (0..<context.size).map { $0 == 0 ? 19 : 0 }] {
        // The parts lie in reverse order, with a gap of one element after every part, which must not change.
        let starts = counts.indices.map { rank in counts[(rank + 1)...].reduce(0, +) + context.size - 1 - rank }
        let parts = zip(starts, counts).map { $0..<$0 + $1 }
        var expected = [Float](repeating: -1, count: counts.reduce(0, +) + context.size)
        for index in parts.joined() { expected[index] = Float(index) }
        let mine = parts[context.rank].map { Float($0) }
        let before = Tensor([Float](repeating: -1, count: expected.count), shape: [expected.count])
        let whole = context.rank == root ? before : nil
        try communicator.gather(Tensor(mine, shape: [mine.count]), as: parts, of: whole, to: root)
        if whole?.elements != (context.rank == root ? expected : nil) { wrong.append(counts) }
      }
    }
    try expectEqual(wrong, [])
  },

  Check("groups of ranks communicate among themselves and keep their order") { context in
    // Even and odd ranks; the last rank joins no group.
    let joins = context.rank < context.size - 1
    var members: [Int]?
    var sizes: [Int] = []
    let limited = context.communicator.limitingMessages(to: smallMessage)
    if let part = try limited.split(group: joins ? context.rank % 2 : nil) {
      members = try part.communicator.allGather(context.rank)
      sizes = [part.communicator.rank, part.communicator.size, part.communicator.messageLimit]
      try part.close()
    }
    // All ranks can still communicate, and split again.
    var sum: Int?
    if let whole = try context.communicator.split(group: 0) {
      sum = try whole.communicator.allReduceSum(1)
      try whole.close()
    }
    let expected = (0..<max(context.size - 1, 0)).filter { $0 % 2 == context.rank % 2 }
    try expectEqual(members, joins ? expected : nil)
    try expectEqual(sizes, joins ? [context.rank / 2, expected.count, smallMessage] : [])
    try expectEqual(sum, context.size)
  },

  Check("releasing a group leaves the others usable") { context in
    for _ in 0..<3 { _ = try context.communicator.split(group: context.rank) }
    try expectEqual(try context.communicator.allReduceSum(1), context.size)
  },

  Check("the sleeping barrier waits for the last rank") { context in
    try context.communicator.barrier()
    let start = ContinuousClock.now
    if context.rank == context.size - 1 { usleep(100_000) }
    try context.communicator.sleepingBarrier()
    let waited = start.duration(to: .now)
    try expect(waited >= .milliseconds(90), "it returned after \(waited)")
  },

  Check("a failure names the lowest rank that failed, on all ranks") { context in
    let lowest = min(1, context.size - 1)
    let several = try expectError(JobFailure.self) {
      try context.communicator.together {
        if context.rank >= lowest { throw CheckFailure(description: "rank \(context.rank) is unwell") }
      }
    }
    try expectEqual(several, JobFailure(rank: lowest, exitStatus: .failure, message: "rank \(lowest) is unwell"))
  },

  Check("ranks with different values do not continue") { context in
    try context.communicator.requireAlike("colour", "red")
    // The lowest rank that differs is named, whether others differ from it or not.
    for lowest in 1..<max(1, context.size) {
      let failure = try expectError(JobFailure.self) {
        try context.communicator.requireAlike("colour", context.rank < lowest ? "red" : "blue \(context.rank)")
      }
      try expectEqual(
        failure,
        JobFailure(
          rank: lowest, exitStatus: .badInput,
          message: "its colour differs from that of rank 0 (rank 0: red; rank \(lowest): blue \(lowest))"))
    }
  },

  Check("a step that fails on one rank fails on all") { context in
    let result = try context.communicator.together { context.rank * 2 }
    let last = context.size - 1
    let failure = try expectError(JobFailure.self) {
      try context.communicator.together {
        if context.rank == last { throw CheckFailure(description: "no such file") }
      }
    }
    try expectEqual(result, context.rank * 2)
    try expectEqual(failure, JobFailure(rank: last, exitStatus: .failure, message: "no such file"))
  },
]

private func buffer<Element: BitwiseCopyable>(_ elements: [Element]) -> Buffer<Element> {
  let buffer = Buffer<Element>(count: elements.count)
  buffer.store(elements)
  return buffer
}
