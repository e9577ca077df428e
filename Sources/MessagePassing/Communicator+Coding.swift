import FoundationEssentials
import Tensors

/// Small structures are sent as JSON. Large or frequent data are sent as elements.
extension Communicator {
  /// The root's value, on every rank. Collective.
  /// - Parameter value: the value of the root; other ranks' values are ignored and may be nil.
  /// - Throws: `JobFailure` on all ranks if it cannot be encoded; `MPIError`.
  package func broadcast<Value: Codable>(encoding value: Value?, from root: Int) throws -> Value {
    let code = try together {
      guard rank == root else { return [UInt8]() }
      guard let value else { preconditionFailure("rank \(root) has no value to broadcast") }
      return try encode(value)
    }
    let buffer = Buffer<UInt8>(count: try allReduceMaximum(code.count))
    buffer.store(code)
    try broadcast(buffer, from: root)
    return try decode(Data(buffer.elements))
  }

  /// Every rank's value, in the order of ranks. Collective.
  /// - Throws: `JobFailure` on all ranks if a value cannot be encoded; `MPIError`.
  package func allGather<Value: Codable>(encoding value: Value) throws -> [Value] {
    let code = try together { try encode(value) }
    let counts = try allGather(code.count)
    let all = try allGather(code, counts: counts)
    return try parts(counts).map { try decode(Data(all[$0])) }
  }

  private func encode(_ value: some Encodable) throws -> [UInt8] { Array(try JSONEncoder().encode(value)) }

  private func decode<Value: Decodable>(_ code: Data) throws -> Value {
    try JSONDecoder().decode(Value.self, from: code)
  }
}
