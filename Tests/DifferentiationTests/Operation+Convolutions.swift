import Differentiation
import Kernels
import ReferenceKernels

extension Operation {
  static let convolutions: [Operation] = [
    convolution3x3(images: 1, height: 8, width: 8, from: 16, to: 16),
    convolution3x3(images: 2, height: 5, width: 7, from: 3, to: 20, perImage: true, residual: true),
    convolution3x3(images: 3, height: 9, width: 4, from: 20, to: 12, perImage: true),
    convolution3x3(images: 2, height: 1, width: 3, from: 5, to: 33, residual: true),
    convolution3x3(images: 1, height: 12, width: 20, from: 48, to: 1, residual: true),
    convolution3x3(images: 2, height: 32, width: 32, from: 32, to: 48, perImage: true),
    convolution3x3(images: 2, height: 5, width: 7, from: 20, to: 12, perImage: true, residual: true, scale: 0.7),
    convolution3x3(images: 1, height: 2, width: 2, from: 16, to: 16, enlargesInput: true),
    convolution3x3(images: 2, height: 3, width: 5, from: 20, to: 12, enlargesInput: true, residual: true),
    convolution3x3(images: 2, height: 3, width: 5, from: 20, to: 12, enlargesInput: true, perImage: true, scale: -3),
    convolution3x3(images: 3, height: 16, width: 16, from: 32, to: 48, enlargesInput: true),
    downsampling3x3(images: 3, height: 32, width: 32, from: 32, to: 16),
    downsampling3x3(images: 2, height: 6, width: 8, from: 3, to: 20),
    downsampling3x3(images: 1, height: 4, width: 4, from: 17, to: 5),
    downsampling3x3(images: 3, height: 2, width: 10, from: 16, to: 32),
    downsampling3x3(images: 2, height: 7, width: 9, from: 20, to: 5, pads: false),
    downsampling3x3(images: 1, height: 3, width: 5, from: 3, to: 16, pads: false),
    convolution3x3(images: 2, height: 1, width: 3, from: 5, to: 33, periodicity: .both, residual: true),
    convolution3x3(images: 3, height: 9, width: 4, from: 20, to: 12, periodicity: .width, perImage: true),
    convolution3x3(images: 2, height: 5, width: 7, from: 3, to: 20, periodicity: .height, scale: 0.7),
    convolution3x3(images: 2, height: 32, width: 32, from: 32, to: 48, periodicity: .both),
    convolution3x3(images: 1, height: 1, width: 1, from: 16, to: 16, enlargesInput: true, periodicity: .both),
    convolution3x3(
      images: 2, height: 3, width: 5, from: 20, to: 12, enlargesInput: true, periodicity: .both, residual: true),
    convolution3x3(images: 2, height: 3, width: 2, from: 3, to: 16, enlargesInput: true, periodicity: .width),
    convolution3x3(images: 3, height: 16, width: 16, from: 32, to: 48, enlargesInput: true, periodicity: .height),
    downsampling3x3(images: 2, height: 6, width: 8, from: 3, to: 20, periodicity: .both),
    downsampling3x3(images: 3, height: 2, width: 10, from: 16, to: 32, periodicity: .height),
    downsampling3x3(images: 1, height: 2, width: 2, from: 17, to: 5, periodicity: .width),
  ]

  private static func convolution3x3(
    images: Int, height: Int, width: Int, from inChannels: Int, to outChannels: Int, enlargesInput: Bool = false,
    periodicity: Periodicity = .none, perImage: Bool = false, residual: Bool = false, scale: Float = 1
  ) -> Operation {
    let factor = enlargesInput ? 2 : 1
    let geometry = PatchGeometry(
      images: images, height: factor * height, width: factor * width, channels: inChannels, kernelSize: 3, pad: 1,
      periodicity: periodicity)
    let pixels = factor * height * factor * width
    // The input of the plain convolution, and its adjoint.
    @Sendable func seen(_ x: [Double]) -> [Double] {
      guard enlargesInput else { return x }
      return Reference.upsampleNearest(x: x, images: images, height: height, width: width, channels: inChannels)
    }
    @Sendable func unseen(_ dx: [Double]) -> [Double] {
      guard enlargesInput else { return dx }
      return Reference.upsampleNearestBackward(
        dy: dx, images: images, height: height, width: width, channels: inChannels)
    }
    var shapes = [[images, height, width, inChannels]]
    if perImage { shapes.append([images, outChannels]) }
    if residual { shapes.append([images, geometry.height, geometry.width, outChannels]) }
    let extras =
      (enlargesInput ? ", enlarged" : "") + (perImage ? " + perImage" : "") + (residual ? " + residual" : "")
      + (scale == 1 ? "" : ", times \(scale)") + Self.suffix(periodicity)
    return Operation(
      testDescription: "convolution3x3 \(shapes[0]) to \(outChannels)\(extras)", inputShapes: shapes,
      parameterShapes: [[3, 3, inChannels, outChannels], [outChannels]], tolerance: winograd,
      apply: { tape, inputs, parameters in
        tape.convolution3x3(
          inputs[0], kernel: parameters[0], bias: parameters[1], enlargesInput: enlargesInput,
          periodicity: periodicity, perImage: perImage ? inputs[1] : nil, residual: residual ? inputs.last : nil,
          scale: scale)
      },
      value: { inputs, parameters in
        var y = Reference.convolution(
          x: seen(inputs[0]), kernel: parameters[0], bias: parameters[1], geometry: geometry,
          outputChannels: outChannels)
        for index in y.indices {
          if perImage { y[index] += inputs[1][index / (pixels * outChannels) * outChannels + index % outChannels] }
          if residual { y[index] += inputs.last![index] }
        }
        return y.map { Double(scale) * $0 }
      },
      gradients: { inputs, parameters, gradient in
        let dy = gradient.map { Double(scale) * $0 }
        let plain = Reference.convolutionBackward(
          x: seen(inputs[0]), kernel: parameters[0], dy: dy, geometry: geometry, outputChannels: outChannels)
        var result = Gradients(inputs: [unseen(plain.dx)], parameters: [plain.dKernel, plain.dBias])
        if perImage {
          var sums = [Double](repeating: 0, count: images * outChannels)
          for (index, gradient) in dy.enumerated() {
            sums[index / (pixels * outChannels) * outChannels + index % outChannels] += gradient
          }
          result.inputs.append(sums)
        }
        if residual { result.inputs.append(dy) }
        return result
      })
  }

  private static func downsampling3x3(
    images: Int, height: Int, width: Int, from inChannels: Int, to outChannels: Int, pads: Bool = true,
    periodicity: Periodicity = .none
  ) -> Operation {
    let geometry = PatchGeometry(
      images: images, height: height, width: width, channels: inChannels, kernelHeight: 3, kernelWidth: 3, stride: 2,
      padTop: 0, padLeft: 0, padBottom: pads ? 1 : 0, padRight: pads ? 1 : 0, periodicity: periodicity)
    return Operation(
      testDescription: "downsampling3x3 [\(images), \(height), \(width), \(inChannels)] to \(outChannels)"
        + (pads ? "" : ", unpadded") + Self.suffix(periodicity),
      inputShapes: [[images, height, width, inChannels]],
      parameterShapes: [[3, 3, inChannels, outChannels], [outChannels]], tolerance: singlePrecision,
      apply: { tape, inputs, parameters in
        tape.downsampling3x3(
          inputs[0], kernel: parameters[0], bias: parameters[1], pads: pads, periodicity: periodicity)
      },
      value: { inputs, parameters in
        Reference.convolution(
          x: inputs[0], kernel: parameters[0], bias: parameters[1], geometry: geometry, outputChannels: outChannels)
      },
      gradients: { inputs, parameters, dy in
        let plain = Reference.convolutionBackward(
          x: inputs[0], kernel: parameters[0], dy: dy, geometry: geometry, outputChannels: outChannels)
        return Gradients(inputs: [plain.dx], parameters: [plain.dKernel, plain.dBias])
      })
  }
}
