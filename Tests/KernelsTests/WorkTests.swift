import Kernels
import Testing

@Suite struct WorkTests {
  @Test func aConvolutionOfOneTileTakes36Products() {
    let geometry = Winograd.Geometry(images: 1, height: 4, width: 4, inChannels: 2, outChannels: 3)
    let work = geometry.convolutionWork()
    #expect(work.arithmetic == 2 * 36 * 2 * 3)
    #expect(work.directArithmetic == 2 * 16 * 9 * 2 * 3)
    #expect(work.bytes == 4 * (16 * 2 + 9 * 2 * 3 + 16 * 3))
    #expect(geometry.convolutionWork(addend: 48).bytes == work.bytes + 4 * 48)
    // The kernel's gradient is added to another.
    #expect(geometry.kernelGradientWork.arithmetic == work.arithmetic)
    #expect(geometry.kernelGradientWork.bytes == work.bytes + 4 * 9 * 2 * 3)
  }

  @Test func tilesAtTheEdgeCountAsWhole() {
    let geometry = Winograd.Geometry(images: 2, height: 5, width: 4, inChannels: 1, outChannels: 1)
    #expect(geometry.convolutionWork().arithmetic == 2 * 36 * 4)
    #expect(geometry.convolutionWork().directArithmetic == 2 * 9 * 2 * 20)
  }

  @Test func enlargingTakes25ProductsAndReadsAQuarter() {
    let geometry = Winograd.Geometry(
      images: 1, height: 8, width: 8, inChannels: 2, outChannels: 3, enlargesInput: true)
    let work = geometry.convolutionWork()
    #expect(work.arithmetic == 2 * 25 * 4 * 2 * 3)
    #expect(work.directArithmetic == 2 * 64 * 9 * 2 * 3)
    #expect(work.bytes == 4 * (16 * 2 + 9 * 2 * 3 + 64 * 3))
  }

  @Test func productsAndAttentionCountMultiplicationsAndAdditions() {
    let product = MatrixProduct.work(rows: 2, columns: 3, depth: 5, addend: 6)
    #expect(product == Work(arithmetic: 60, floats: 10 + 15 + 6 + 6))
    let geometry = Attention.Geometry([2, 3, 5])
    #expect(geometry.forwardWork == Work(arithmetic: 2 * 2 * (2 * 9 * 5), floats: 4 * 30))
    #expect(
      geometry.backwardWork
        == Work(arithmetic: 2 * 5 * (2 * 9 * 5), directArithmetic: 2 * 4 * (2 * 9 * 5), floats: 7 * 30))
    let heads = Attention.Geometry([2, 3, 5], heads: 5)
    #expect(heads.forwardWork == geometry.forwardWork && heads.backwardWork == geometry.backwardWork)
  }
}
