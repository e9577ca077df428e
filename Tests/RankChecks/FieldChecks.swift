import Failures
import Foundation
import HDF5
import Inference
import MessagePassing
import Tensors

private let shape = [3, 4]
private let variables: [FieldWriter.Variable] = [
  .init("vorticity", units: "1/s", longName: "relative vorticity"), .init("T", units: "K"), .init("mask"),
]

/// A value of field `index` at a point, different from every other.
private func value(_ index: Int, point: Int, channel: Int) -> Float {
  Float(index) + Float(point) / 16 + Float(channel) / 1024
}

private func fields(_ indices: Range<Int>) -> Tensor {
  let points = shape.reduce(1, *)
  let values = indices.flatMap { index in
    (0..<points).flatMap { point in variables.indices.map { value(index, point: point, channel: $0) } }
  }
  return Tensor(values, shape: [indices.count] + shape + [variables.count])
}

/// Writes this rank's share in batches of two.
private func writeShare(_ writer: FieldWriter, of count: Int, _ communicator: Communicator) throws {
  let share = communicator.share(of: count)
  for start in stride(from: share.lowerBound, to: share.upperBound, by: 2) {
    let batch = start..<min(start + 2, share.upperBound)
    try writer.write(fields(batch), at: batch)
  }
}

private func expectFields(_ file: borrowing HDF5File, sizes: [Int]) throws {
  let count = sizes.dropLast(2).reduce(1, *)
  for (channel, variable) in variables.enumerated() {
    let dataset = try file.openDataset(variable.name)
    try expectEqual(dataset.shape, sizes)
    let points = shape.reduce(1, *)
    let expected = (0..<count * points).map { value($0 / points, point: $0 % points, channel: channel) }
    try expectEqual(try dataset.readAll(as: Float.self), expected)
    try expectEqual(try file.readAttribute("long_name", of: variable.name, as: String.self), variable.longName)
    try expectEqual(try file.attributeExists("units", of: variable.name), !variable.units.isEmpty)
    if !variable.units.isEmpty {
      try expectEqual(try file.readAttribute("units", of: variable.name, as: String.self), variable.units)
    }
  }
}

let fieldChecks: [Check] = [
  Check("ranks write samples of fields with coordinates and units into one file") { context in
    let path = context.folder.appendingPathComponent("samples.nc").path
    let writer = try FieldWriter(
      path, variables: variables, shape: shape, count: 7, first: 10,
      axes: [.init("lat", coordinates: [50, 50.5, 51], units: "degrees_north"), .init("x")],
      communicator: context.communicator)
    try writeShare(writer, of: 7, context.communicator)
    try expect(!FileManager.default.fileExists(atPath: path), "the file appears before it is finished")
    try context.communicator.barrier()
    try writer.finish { file in try file.writeAttribute("seed", Int64(3)) }
    let file = try HDF5File.open(path)
    try expectFields(file, sizes: [7, 3, 4])
    try expectEqual(try file.openDataset("sample").readAll(as: Int64.self), [10, 11, 12, 13, 14, 15, 16])
    try expectEqual(try file.openDataset("lat").readAll(as: Double.self), [50, 50.5, 51])
    try expectEqual(try file.readAttribute("units", of: "lat", as: String.self), "degrees_north")
    try expectEqual(try file.readAttribute("CLASS", of: "x", as: String.self), "DIMENSION_SCALE")
    try expectEqual(try file.readAttribute("seed", as: Int64.self), 3)
    try file.close()
  },

  Check("members of conditions have a dimension of their own") { context in
    let path = context.folder.appendingPathComponent("members.nc").path
    let writer = try FieldWriter(
      path, variables: variables, shape: shape, count: 3, members: 4, communicator: context.communicator)
    try writeShare(writer, of: 12, context.communicator)
    try writer.finish()
    let file = try HDF5File.open(path)
    try expectFields(file, sizes: [3, 4, 3, 4])
    try expectEqual(try file.openDataset("condition").readAll(as: Int64.self), [0, 1, 2])
    try expectEqual(try file.openDataset("member").readAll(as: Int64.self), [0, 1, 2, 3])
    try file.close()
  },

  Check("a file of fields that is not finished leaves nothing") { context in
    let path = context.folder.appendingPathComponent("abandoned.nc").path
    let writer = try FieldWriter(
      path, variables: variables, shape: shape, count: 2, communicator: context.communicator)
    writer.abandon()
    try context.communicator.barrier()
    let names = try FileManager.default.contentsOfDirectory(atPath: context.folder.path)
    try expect(!names.contains { $0.contains("abandoned") }, "\(names)")
  },

  Check("names and axes that do not fit are refused by all ranks") { context in
    let path = context.folder.appendingPathComponent("refused.nc").path
    let axes = [FieldWriter.Axis("y"), FieldWriter.Axis("x")]
    let uneven = [FieldWriter.Axis("y", coordinates: [1, 2]), FieldWriter.Axis("x")]
    for (names, axes, part) in [
      (["u", "u"], axes, "'u' is the name of two variables"), (["u", "x"], axes, "'x' is the name of two"),
      (["sample"], axes, "'sample' is the name of two"), (["a/b"], axes, "'a/b' cannot be the name"),
      ([""], axes, "'' cannot be the name"), (["u "], axes, "'u ' cannot be the name"),
      ([".u"], axes, "'.u' cannot be the name"), (["u\0"], axes, "cannot be the name"),
      ([], axes, "0 variables"), (["u"], uneven, "the axis 'y' has 2 coordinates, but the fields have 3 points"),
    ] {
      let failure = try expectError(JobFailure.self) {
        _ = try FieldWriter(
          path, variables: names.map { .init($0) }, shape: shape, count: 1, axes: axes,
          communicator: context.communicator)
      }
      try expect(failure.message.contains(part), failure.message)
    }
    let large = try expectError(JobFailure.self) {
      _ = try FieldWriter(
        path, variables: variables, shape: shape, count: Int.max / 2, communicator: context.communicator)
    }
    try expect(large.message.contains("write fewer samples"), large.message)
    try expect(!FileManager.default.fileExists(atPath: path), "a refused file was written")
  },
]
