import Differentiation
import Glibc
import Kernels

extension Operation {
  static let others: [Operation] = [
    linearMap([2, 3, 5, 20], to: 12, residual: true),
    linearMap([1, 4, 4, 33], to: 7),
    linearMap([3, 9, 17], to: 40),
    linearMap([2, 2, 2, 5], to: 16, isKernel: true, residual: true),
    linearMap([3, 32, 32, 160], to: 16),
    linearMap([1, 5], to: 3),
    linearMap([7, 128], to: 64),
    linearMap([2, 300], to: 10),
    attention([2, 3, 3, 5]),
    attention([1, 5, 7, 20]),
    attention([3, 1, 1, 4]),
    attention([2, 10, 16]),
    groupNorm([2, 5, 3, 20], groups: 5, .identity),
    groupNorm([2, 5, 3, 20], groups: 4, .silu),
    groupNorm([1, 4, 4, 32], groups: 32, .silu),
    groupNorm([3, 7, 1, 12], groups: 3, .silu, dropout: 0.3),
    groupNorm([2, 3, 6, 33], groups: 11, .identity, dropout: 0.5),
    groupNorm([3, 32, 32, 40], groups: 8, .silu, dropout: 0.1),
    silu([3, 5, 7]),
    silu([2, 32, 32, 48]),
    silu([2, 4, 4, 16]),
    concatenation([2, 3, 5, 7], [2, 3, 5, 20]),
    concatenation([1, 2, 2, 16], [1, 2, 2, 16]),
    concatenation([3, 4, 1, 33], [3, 4, 1, 1]),
  ]

  static let all = convolutions + others

  private static func linearMap(
    _ shape: [Int], to outputs: Int, isKernel: Bool = false, residual: Bool = false
  ) -> Operation {
    let depth = shape.last!
    let rows = shape.reduce(1, *) / depth
    return Operation(
      testDescription: "pointwise \(shape) to \(outputs)\(residual ? " + residual" : "")",
      inputShapes: residual ? [shape, shape.dropLast() + [outputs]] : [shape],
      parameterShapes: [isKernel ? [1, 1, depth, outputs] : [depth, outputs], [outputs]], tolerance: singlePrecision,
      apply: { tape, inputs, parameters in
        tape.pointwise(inputs[0], matrix: parameters[0], bias: parameters[1], residual: residual ? inputs[1] : nil)
      },
      value: { inputs, parameters in
        var y = Reference.matrixProduct(inputs[0], parameters[0], rows: rows, inner: depth, columns: outputs)
        for index in y.indices { y[index] += parameters[1][index % outputs] + (residual ? inputs[1][index] : 0) }
        return y
      },
      gradients: { inputs, parameters, dy in
        var dBias = [Double](repeating: 0, count: outputs)
        for (index, gradient) in dy.enumerated() { dBias[index % outputs] += gradient }
        let dx = Reference.matrixProduct(
          dy, parameters[0], rows: rows, inner: outputs, columns: depth, transposeB: true)
        let dMatrix = Reference.matrixProduct(
          inputs[0], dy, rows: depth, inner: rows, columns: outputs, transposeA: true)
        return Gradients(inputs: residual ? [dx, dy] : [dx], parameters: [dMatrix, dBias])
      })
  }

  private static func attention(_ shape: [Int]) -> Operation {
    let (images, channels) = (shape[0], shape.last!)
    let tokens = shape.reduce(1, *) / images / channels
    @Sendable func part(_ values: [Double], _ image: Int) -> [Double] {
      Array(values[image * tokens * channels..<(image + 1) * tokens * channels])
    }
    return Operation(
      testDescription: "attention \(shape)", inputShapes: [shape, shape, shape], parameterShapes: [],
      tolerance: singlePrecision,
      apply: { tape, inputs, _ in tape.attention(query: inputs[0], key: inputs[1], value: inputs[2]) },
      value: { inputs, _ in
        (0..<images).flatMap { image in
          Reference.attention(
            q: part(inputs[0], image), k: part(inputs[1], image), v: part(inputs[2], image), tokens: tokens,
            channels: channels)
        }
      },
      gradients: { inputs, _, dy in
        let parts = (0..<images).map { image in
          Reference.attentionBackward(
            q: part(inputs[0], image), k: part(inputs[1], image), v: part(inputs[2], image), dy: part(dy, image),
            tokens: tokens, channels: channels)
        }
        return Gradients(inputs: [parts.flatMap(\.dq), parts.flatMap(\.dk), parts.flatMap(\.dv)])
      })
  }

  private static func groupNorm(
    _ shape: [Int], groups: Int, _ activation: Activation, dropout probability: Float? = nil
  ) -> Operation {
    let (images, channels) = (shape[0], shape.last!)
    let geometry = GroupNormGeometry(
      images: images, pixels: shape.reduce(1, *) / images / channels, channels: channels, groups: groups,
      epsilon: 1e-5)
    let dropout = probability.map { Dropout(probability: $0, seed: 3, step: 4, firstSample: 5, layer: 6) }
    let multipliers = dropout.map { dropout in
      Reference.dropoutMultipliers(dropout, images: images, count: geometry.pixels * channels).map(Double.init)
    }
    let extras = probability.map { ", dropout \($0)" } ?? ""
    return Operation(
      testDescription: "groupNorm \(shape) in \(groups) groups, \(activation)\(extras)", inputShapes: [shape],
      parameterShapes: [[channels], [channels]], tolerance: singlePrecision,
      apply: { tape, inputs, parameters in
        tape.groupNorm(
          inputs[0], scale: parameters[0], offset: parameters[1], groupCount: groups, epsilon: geometry.epsilon,
          activation: activation, dropout: dropout)
      },
      value: { inputs, parameters in
        Reference.groupNorm(
          x: inputs[0], scale: parameters[0], offset: parameters[1], geometry: geometry, activation: activation,
          multipliers: multipliers
        ).y
      },
      gradients: { inputs, parameters, dy in
        let plain = Reference.groupNormBackward(
          x: inputs[0], dy: dy, scale: parameters[0], offset: parameters[1], geometry: geometry,
          activation: activation, multipliers: multipliers)
        return Gradients(inputs: [plain.dx], parameters: [plain.dScale, plain.dOffset])
      })
  }

  private static func silu(_ shape: [Int]) -> Operation {
    Operation(
      testDescription: "silu \(shape)", inputShapes: [shape], parameterShapes: [], tolerance: singlePrecision,
      apply: { tape, inputs, _ in tape.silu(inputs[0]) },
      value: { inputs, _ in inputs[0].map { $0 / (1 + exp(-$0)) } },
      gradients: { inputs, _, dy in
        let dx = zip(inputs[0], dy).map { x, gradient in
          let gate = 1 / (1 + exp(-x))
          return gradient * gate * (1 + x * (1 - gate))
        }
        return Gradients(inputs: [dx])
      })
  }

  private static func concatenation(_ first: [Int], _ second: [Int]) -> Operation {
    let (left, right) = (first.last!, second.last!)
    return Operation(
      testDescription: "concatenate \(first), \(second)", inputShapes: [first, second], parameterShapes: [],
      tolerance: 0,
      apply: { tape, inputs, _ in tape.concatenate(inputs[0], inputs[1]) },
      value: { inputs, _ in TestData.joined(inputs[0], width: left, inputs[1], width: right) },
      gradients: { _, _, dy in
        let width = left + right
        return Gradients(inputs: [
          TestData.columns(0..<left, of: dy, width: width), TestData.columns(left..<width, of: dy, width: width),
        ])
      })
  }
}
