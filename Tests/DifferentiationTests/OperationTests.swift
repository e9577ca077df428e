import Differentiation
import Kernels
import Tensors
import Testing

@Suite struct OperationTests {
  @Test(arguments: Operation.all)
  func valuesAndGradientsAgreeWithTheReference(operation: Operation) {
    let outcome = operation.run()
    let inputs = operation.inputs.map(TestData.doubles)
    let parameters = TestParameters(operation.parameterShapes).doubles
    let valueError = TestData.relativeError(outcome.value.elements, operation.value(inputs, parameters))
    #expect(valueError <= operation.tolerance)

    let expected = operation.gradients(inputs, parameters, TestData.doubles(outcome.seed))
    #expect(outcome.inputGradients.count == expected.inputs.count)
    for (index, gradient) in outcome.inputGradients.enumerated() {
      let error = TestData.relativeError(gradient, expected.inputs[index])
      #expect(error <= operation.tolerance, "input \(index)")
    }
    #expect(outcome.parameterGradients.count == expected.parameters.count)
    for (index, gradient) in outcome.parameterGradients.enumerated() {
      let error = TestData.relativeError(gradient, expected.parameters[index])
      #expect(error <= operation.tolerance, "parameter \(index)")
    }
  }

  @Test(arguments: Operation.convolutions)
  func directConvolutionsAgreeWithTheReference(operation: Operation) {
    let outcome = operation.run(threads: 2, arithmetic: Arithmetic(convolutionMethod: .direct))
    let inputs = operation.inputs.map(TestData.doubles)
    let parameters = TestParameters(operation.parameterShapes).doubles
    let valueError = TestData.relativeError(outcome.value.elements, operation.value(inputs, parameters))
    #expect(valueError <= Operation.singlePrecision)
    let expected = operation.gradients(inputs, parameters, TestData.doubles(outcome.seed))
    for (gradient, plain) in zip(
      outcome.inputGradients + outcome.parameterGradients, expected.inputs + expected.parameters)
    {
      #expect(TestData.relativeError(gradient, plain) <= Operation.singlePrecision)
    }
    let single = operation.run(threads: 1, arithmetic: Arithmetic(convolutionMethod: .direct))
    #expect(zip(single.all, outcome.all).allSatisfy { TestData.sameBits($0, $1) })
  }

  @Test(arguments: Operation.all)
  func numberOfThreadsDoesNotChangeTheBits(operation: Operation) {
    let expected = operation.run(threads: 1).all
    for threads in [2, 3, 5] {
      let actual = operation.run(threads: threads).all
      #expect(actual.count == expected.count)
      #expect(zip(actual, expected).allSatisfy { TestData.sameBits($0, $1) }, "\(threads) threads")
    }
  }

  @Test(arguments: Operation.all)
  func anInferenceTapeGivesTheSameValues(operation: Operation) {
    let parameters = TestParameters(operation.parameterShapes)
    let expected = operation.run().value
    let tape = Tape(inferenceWith: parameters.values, workers: WorkerPool(threadCount: 1))
    let variables = operation.inputs.map { tape.input($0, needsGradient: true) }
    let result = operation.apply(tape, variables, parameters.entries)
    #expect(result.value.shape == expected.shape)
    #expect(TestData.sameBits(result.value.elements, expected.elements))
    #expect(!result.needsGradient)
  }

  @Test(arguments: Operation.all)
  func withoutAGradientArenaOnlyInputsGetGradients(operation: Operation) {
    let parameters = TestParameters(operation.parameterShapes)
    let tape = Tape(recordingWith: parameters.values, gradients: nil, workers: WorkerPool(threadCount: 2))
    var announced = 0
    tape.parameterGradientIsFinal = { _ in announced += 1 }
    let variables = operation.inputs.map { tape.input($0, needsGradient: true) }
    let result = operation.apply(tape, variables, parameters.entries)
    let expected = operation.run()
    tape.unwind(from: result, seed: expected.seed)
    for (variable, gradient) in zip(variables, expected.inputGradients) {
      #expect(TestData.sameBits(variable.inputGradient?.elements ?? [], gradient))
    }
    #expect(announced == 0)
  }

  @Test(arguments: Operation.all)
  func inputsThatNeedNoGradientGetNone(operation: Operation) {
    let expected = operation.run()
    for wanting in operation.inputShapes.indices {
      let parameters = TestParameters(operation.parameterShapes)
      let tape = Tape(
        recordingWith: parameters.values, gradients: parameters.gradients, workers: WorkerPool(threadCount: 1))
      let variables = operation.inputs.enumerated().map { tape.input($1, needsGradient: $0 == wanting) }
      let result = operation.apply(tape, variables, parameters.entries)
      tape.unwind(from: result, seed: expected.seed)
      for (index, variable) in variables.enumerated() {
        let gradient = variable.inputGradient?.elements
        #expect(index == wanting ? TestData.sameBits(gradient ?? [], expected.inputGradients[index]) : gradient == nil)
      }
      #expect(zip(parameters.gradientElements, expected.parameterGradients).allSatisfy { TestData.sameBits($0, $1) })
    }
  }

  /// The sum of a micro-batch's gradients may be accumulated in the arena of another.
  @Test(arguments: Operation.all.filter { !$0.parameterShapes.isEmpty })
  func addingToAnArenaEqualsAddingTwoArenas(operation: Operation) {
    let parameters = TestParameters(operation.parameterShapes)
    let alone = operation.run()
    let start = operation.parameterShapes.indices.map {
      TestData.normals(operation.parameterShapes[$0], seed: 70 + UInt64($0)).elements
    }
    for (entry, values) in zip(parameters.entries, start) {
      parameters.gradients.tensor(entry).copy(values)
    }
    let tape = Tape(
      recordingWith: parameters.values, gradients: parameters.gradients, workers: WorkerPool(threadCount: 1))
    let result = operation.apply(tape, operation.inputs.map { tape.input($0) }, parameters.entries)
    tape.unwind(from: result, seed: alone.seed)
    for index in start.indices {
      let sums = zip(start[index], alone.parameterGradients[index]).map(+)
      #expect(TestData.sameBits(parameters.gradientElements[index], sums))
    }
  }
}
