import Differentiation
import Glibc
import Kernels
import ReferenceKernels

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
    linearMap([2, 3, 5, 27], parts: [7, 20], to: 12, residual: true),
    linearMap([1, 2, 2, 32], parts: [16, 16], to: 48, isKernel: true),
    linearMap([2, 20, 20, 640], parts: [600, 39, 1], to: 5),
    linearMap([2, 3, 5, 20], to: 12, residual: true, scale: 0.7),
    linearMap([1, 4, 33], to: 7, scale: -3),
    rowAddition([5, 20], rows: [2, 0, 2, 3, 2], of: 4),
    rowAddition([1, 33], rows: [0], of: 1),
    pixelMean([2, 3, 5, 20]),
    pixelMean([3, 1, 1, 7]),
    attention([2, 3, 3, 5]),
    attention([1, 5, 7, 20]),
    attention([3, 1, 1, 4]),
    attention([2, 10, 16]),
    attention([2, 3, 3, 6], heads: 3),
    attention([1, 5, 7, 20], heads: 4),
    attention([1, 17, 31, 48], heads: 2),
    groupNorm([2, 5, 3, 20], groups: 5, .identity),
    groupNorm([2, 5, 3, 20], groups: 4, .silu),
    groupNorm([1, 4, 4, 32], groups: 32, .silu),
    groupNorm([3, 7, 1, 12], groups: 3, .silu, dropout: 0.3),
    groupNorm([2, 3, 6, 33], groups: 11, .identity, dropout: 0.5),
    groupNorm([3, 32, 32, 40], groups: 8, .silu, dropout: 0.1),
    groupNorm([2, 5, 3, 27], parts: [7, 20], groups: 9, .silu),
    groupNorm([1, 2, 2, 32], parts: [16, 16], groups: 4, .identity),
    groupNorm([2, 5, 3, 20], groups: 4, .silu, isModulated: true),
    groupNorm([3, 32, 32, 34], parts: [16, 18], groups: 2, .silu, dropout: 0.1, isModulated: true),
    groupNorm([1, 7, 9, 33], groups: 33, .identity, isModulated: true),
    groupNorm([3, 32, 32, 34], parts: [16, 17, 1], groups: 2, .silu, dropout: 0.1),
    silu([3, 5, 7]),
    silu([2, 32, 32, 48]),
    silu([2, 4, 4, 16]),
  ]

  static let all = convolutions + resampling + others

  /// Joins tensors whose last axes have the lengths `parts`.
  private static func join(_ tensors: ArraySlice<[Double]>, _ parts: [Int]) -> [Double] {
    var (joined, width) = (tensors.first!, parts[0])
    for (tensor, channels) in zip(tensors.dropFirst(), parts.dropFirst()) {
      joined = TestData.joined(joined, width: width, tensor, width: channels)
      width += channels
    }
    return joined
  }

  /// The inverse of `join`.
  private static func split(_ tensor: [Double], _ parts: [Int]) -> [[Double]] {
    var first = 0
    return parts.map { channels in
      defer { first += channels }
      return TestData.columns(first..<first + channels, of: tensor, width: parts.reduce(0, +))
    }
  }

  private static func linearMap(
    _ shape: [Int], parts: [Int]? = nil, to outputs: Int, isKernel: Bool = false, residual: Bool = false,
    scale: Float = 1
  ) -> Operation {
    let depth = shape.last!
    let rows = shape.reduce(1, *) / depth
    let parts = parts ?? [depth]
    return Operation(
      testDescription: "pointwise \(shape) in \(parts) to \(outputs)\(residual ? " + residual" : ""), times \(scale)",
      inputShapes: (residual ? parts + [outputs] : parts).map { shape.dropLast() + [$0] },
      parameterShapes: [isKernel ? [1, 1, depth, outputs] : [depth, outputs], [outputs]], tolerance: singlePrecision,
      apply: { tape, inputs, parameters in
        tape.pointwise(
          Array(inputs[..<parts.count]), matrix: parameters[0], bias: parameters[1],
          residual: residual ? inputs[parts.count] : nil, scale: scale)
      },
      value: { inputs, parameters in
        let x = join(inputs[..<parts.count], parts)
        var y = Reference.matrixProduct(x, parameters[0], rows: rows, inner: depth, columns: outputs)
        for index in y.indices {
          y[index] += parameters[1][index % outputs] + (residual ? inputs[parts.count][index] : 0)
        }
        return y.map { Double(scale) * $0 }
      },
      gradients: { inputs, parameters, gradient in
        let dy = gradient.map { Double(scale) * $0 }
        var dBias = [Double](repeating: 0, count: outputs)
        for (index, gradient) in dy.enumerated() { dBias[index % outputs] += gradient }
        let dx = Reference.matrixProduct(
          dy, parameters[0], rows: rows, inner: outputs, columns: depth, transposeB: true)
        let dMatrix = Reference.matrixProduct(
          join(inputs[..<parts.count], parts), dy, rows: depth, inner: rows, columns: outputs, transposeA: true)
        return Gradients(inputs: split(dx, parts) + (residual ? [dy] : []), parameters: [dMatrix, dBias])
      })
  }

  private static func attention(_ shape: [Int], heads: Int = 1) -> Operation {
    let (images, channels) = (shape[0], shape.last!)
    let tokens = shape.reduce(1, *) / images / channels
    @Sendable func part(_ values: [Double], _ image: Int) -> [Double] {
      Array(values[image * tokens * channels..<(image + 1) * tokens * channels])
    }
    return Operation(
      testDescription: "attention \(shape), \(heads) heads", inputShapes: [shape, shape, shape], parameterShapes: [],
      tolerance: singlePrecision,
      apply: { tape, inputs, _ in tape.attention(query: inputs[0], key: inputs[1], value: inputs[2], heads: heads) },
      value: { inputs, _ in
        (0..<images).flatMap { image in
          Reference.attention(
            q: part(inputs[0], image), k: part(inputs[1], image), v: part(inputs[2], image), tokens: tokens,
            channels: channels, heads: heads)
        }
      },
      gradients: { inputs, _, dy in
        let parts = (0..<images).map { image in
          Reference.attentionBackward(
            q: part(inputs[0], image), k: part(inputs[1], image), v: part(inputs[2], image), dy: part(dy, image),
            tokens: tokens, channels: channels, heads: heads)
        }
        return Gradients(inputs: [parts.flatMap(\.dq), parts.flatMap(\.dk), parts.flatMap(\.dv)])
      })
  }

  private static func groupNorm(
    _ shape: [Int], parts: [Int]? = nil, groups: Int, _ activation: Activation, dropout probability: Float? = nil,
    isModulated: Bool = false
  ) -> Operation {
    let (images, channels) = (shape[0], shape.last!)
    let geometry = GroupNormGeometry(
      images: images, pixels: shape.reduce(1, *) / images / channels, channels: channels, groups: groups,
      epsilon: 1e-5)
    let dropout = probability.map { Dropout(probability: $0, seed: 3, step: 4, firstSample: 5, layer: 6) }
    let multipliers = dropout.map { dropout in
      Reference.dropoutMultipliers(dropout, images: images, count: geometry.pixels * channels).map(Double.init)
    }
    let extras = (probability.map { ", dropout \($0)" } ?? "") + (isModulated ? ", modulated" : "")
    let parts = parts ?? [channels]
    @Sendable func modulation<Element>(_ inputs: [Element]) -> Element? { isModulated ? inputs[parts.count] : nil }
    return Operation(
      testDescription: "groupNorm \(shape) of \(parts) in \(groups) groups, \(activation)\(extras)",
      inputShapes: parts.map { shape.dropLast() + [$0] } + (isModulated ? [[images, 2 * channels]] : []),
      parameterShapes: [[channels], [channels]], tolerance: singlePrecision,
      apply: { tape, inputs, parameters in
        tape.groupNorm(
          Array(inputs[..<parts.count]), scale: parameters[0], offset: parameters[1], modulation: modulation(inputs),
          groupCount: groups, epsilon: geometry.epsilon, activation: activation, dropout: dropout)
      },
      value: { inputs, parameters in
        Reference.groupNorm(
          x: join(inputs[..<parts.count], parts), scale: parameters[0], offset: parameters[1],
          modulation: modulation(inputs), geometry: geometry, activation: activation, multipliers: multipliers
        ).y
      },
      gradients: { inputs, parameters, dy in
        let plain = Reference.groupNormBackward(
          x: join(inputs[..<parts.count], parts), dy: dy, scale: parameters[0], offset: parameters[1],
          modulation: modulation(inputs), geometry: geometry, activation: activation, multipliers: multipliers)
        return Gradients(
          inputs: split(plain.dx, parts) + (isModulated ? [plain.dModulation] : []),
          parameters: [plain.dScale, plain.dOffset])
      })
  }

  private static func rowAddition(_ shape: [Int], rows: [Int], of count: Int) -> Operation {
    let channels = shape[1]
    return Operation(
      testDescription: "rows \(rows) added to \(shape)", inputShapes: [shape], parameterShapes: [[count, channels]],
      tolerance: singlePrecision,
      apply: { tape, inputs, parameters in tape.addingRows(of: parameters[0], rows, to: inputs[0]) },
      value: { inputs, parameters in
        inputs[0].indices.map { inputs[0][$0] + parameters[0][rows[$0 / channels] * channels + $0 % channels] }
      },
      gradients: { _, parameters, dy in
        var table = [Double](repeating: 0, count: parameters[0].count)
        for index in dy.indices { table[rows[index / channels] * channels + index % channels] += dy[index] }
        return Gradients(inputs: [dy], parameters: [table])
      })
  }

  private static func pixelMean(_ shape: [Int]) -> Operation {
    let (images, channels) = (shape[0], shape.last!)
    let pixels = shape.reduce(1, *) / images / channels
    @Sendable func meanIndex(_ index: Int) -> Int { index / (pixels * channels) * channels + index % channels }
    return Operation(
      testDescription: "mean over the pixels of \(shape)", inputShapes: [shape], parameterShapes: [],
      tolerance: singlePrecision, apply: { tape, inputs, _ in tape.pixelMean(inputs[0]) },
      value: { inputs, _ in
        var means = [Double](repeating: 0, count: images * channels)
        for (index, value) in inputs[0].enumerated() { means[meanIndex(index)] += value / Double(pixels) }
        return means
      },
      gradients: { inputs, _, dy in
        Gradients(inputs: [inputs[0].indices.map { dy[meanIndex($0)] / Double(pixels) }])
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
}
