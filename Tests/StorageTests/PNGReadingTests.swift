import Images
import Testing

extension StorageTests {
  @Suite struct PNGReadingTests {
    private func read(_ file: PNGFile) throws -> Image { try read(file.bytes) }

    private func read(_ bytes: [UInt8]) throws -> Image { try ImageReader().read("image.png", contents: bytes) }

    /// An 8-bit sample for a sample of another depth: v · 255 / (2^bits − 1), rounded to nearest.
    private func reduced(_ sample: Int, _ depth: Int) -> UInt8 {
      let maximum = (1 << depth) - 1
      return UInt8((2 * 255 * sample + maximum) / (2 * maximum))
    }

    /// An image whose samples look random, with some small differences between neighbours.
    private func file(
      _ type: PNGFile.ColourType, depth: Int, width: Int, height: Int, isInterlaced: Bool = false
    ) -> PNGFile {
      var file = PNGFile(width: width, height: height, depth: depth, colourType: type, isInterlaced: isInterlaced)
      let channels = type.channels
      file.samples = { x, y in
        (0..<channels).map { channel in
          let offset = (y / 2 * width + x / 2) * channels + channel
          return (offset * 40503 + offset / 3 * 257 + x % 2 + y % 2) & ((1 << depth) - 1)
        }
      }
      return file
    }

    /// Adds the chunks that the colour type needs: a palette, and transparency. With a palette, the first half of its
    /// colours are partly transparent; otherwise one exact colour is.
    /// - Returns: the expected pixels.
    private func complete(_ file: inout PNGFile, hasTransparency: Bool) -> [UInt8] {
      let samples = file.samples
      let pixels = (0..<file.height).flatMap { y in (0..<file.width).map { x in samples(x, y) } }
      guard file.colourType == .indexed else {
        let key = samples(file.width / 2, file.height / 2)
        if hasTransparency { file.chunks = [("tRNS", key.flatMap { PNGFile.number($0, bytes: 2) })] }
        let depth = file.depth
        return pixels.flatMap { pixel in
          pixel.map { reduced($0, depth) } + (hasTransparency ? [pixel == key ? 0 : 255] : [])
        }
      }
      let count = 1 << file.depth
      let palette: [[UInt8]] = (0..<count).map { index in [0, 41, 82].map { UInt8((index * 83 + $0) % 256) } }
      let opacities: [UInt8] = (0..<(count + 1) / 2).map { UInt8($0 * 70 % 256) }
      file.chunks = [("PLTE", palette.flatMap { $0 })]
      if hasTransparency { file.chunks.append(("tRNS", opacities)) }
      return pixels.flatMap { pixel in
        palette[pixel[0]] + (hasTransparency ? [pixel[0] < opacities.count ? opacities[pixel[0]] : 255] : [])
      }
    }

    @Test(arguments: PNGFile.ColourType.allCases, [false, true])
    func everyKindOfTheFormatIsReadExactly(type: PNGFile.ColourType, isInterlaced: Bool) throws {
      for depth in type.depths {
        for (width, height) in [(1, 1), (2, 3), (5, 1), (1, 9), (8, 8), (13, 11)] {
          for hasTransparency in type.mayHaveTransparency ? [false, true] : [false] {
            let name = "\(depth) bits, \(width)x\(height), \(hasTransparency)"
            var file = file(type, depth: depth, width: width, height: height, isInterlaced: isInterlaced)
            let expected = complete(&file, hasTransparency: hasTransparency)
            let image = try read(file)
            #expect(image.width == width && image.height == height && image.pixels == expected, "\(name)")
            let header = try ImageReader().header(of: name, contents: file.bytes)
            #expect(header == ImageHeader(width: width, height: height, channels: image.channels), "\(name)")
          }
        }
      }
    }

    @Test func samplesOf16BitsAreRoundedToNearest() throws {
      var file = PNGFile(width: 256, height: 256, depth: 16)
      file.samples = { x, y in [256 * y + x] }
      // v / 257, which is never halfway between two integers.
      #expect(try read(file).pixels == (0..<65536).map { UInt8((Double($0) / 257).rounded()) })
    }

    @Test func colourChunksChangeNothing() throws {
      let plain = file(.colour, depth: 8, width: 6, height: 4)
      let grey = file(.grey, depth: 16, width: 6, height: 4)
      let colourChunks: [(String, [UInt8])] = [
        ("gAMA", PNGFile.number(100_000)), ("gAMA", PNGFile.number(45_455)), ("gAMA", PNGFile.number(220_000)),
        ("cHRM", [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000].flatMap { PNGFile.number($0) }),
        ("sRGB", [0]), ("sBIT", [1, 1, 1]), ("bKGD", [0, 200, 0, 200, 0, 200]),
        ("iCCP", Array("none\0\0".utf8) + PNGFile.zlib([1, 2, 3])),
      ]
      for (kind, data) in colourChunks {
        var file = plain
        file.chunks = [(kind, data)]
        #expect(try read(file) == read(plain), "\(kind)")
        var greyFile = grey
        greyFile.chunks = [(kind, kind == "sBIT" ? [1] : data)]
        #expect(try read(greyFile) == read(grey), "\(kind), grey")
      }
    }

    @Test func onlyDamageThatCanAffectPixelsIsRefused() throws {
      let whole = file(.colour, depth: 8, width: 9, height: 9, isInterlaced: true)
      let bytes = whole.bytes
      let image = try read(whole)
      // Without the end marker, or with anything in its place.
      #expect(try read(Array(bytes.dropLast(12))) == image)
      #expect(try read(bytes.dropLast(12) + [1, 2, 3]) == image)
      var commented = whole
      commented.chunks = [("tEXt", Array("Comment\0nothing".utf8))]
      var bytesOfComment = commented.bytes
      bytesOfComment[50] ^= 1
      #expect(try read(bytesOfComment) == image)
      // Any length up to the end of the pixels.
      for length in stride(from: 0, to: bytes.count - 12, by: 5) {
        #expect(throws: ImageError.self, "\(length) bytes") { try read(Array(bytes[..<length])) }
      }
      for offset in 8..<bytes.count - 12 {
        var damaged = bytes
        damaged[offset] ^= 4
        #expect(throws: ImageError.self, "byte \(offset)") { try read(damaged) }
      }
    }

    @Test func theChecksumOfThePixelsIsCompared() throws {
      let data = PNGFile.zlib([0, 7, 7]).dropLast() + [9]
      // In one chunk, and after all data that the pixels need.
      for cut in [data.count, data.count - 4] {
        var bytes = PNGFile.signature + PNGFile.chunk("IHDR", [0, 0, 0, 2, 0, 0, 0, 1, 8, 0, 0, 0, 0])
        bytes += PNGFile.chunk("IDAT", Array(data[..<cut])) + PNGFile.chunk("IDAT", Array(data[cut...]))
        let error = #expect(throws: ImageError.self) { try read(bytes + PNGFile.chunk("IEND", [])) }
        #expect(error?.message.contains("incorrect data check") == true)
      }
    }

    @Test func aColourOutsideThePaletteIsRefused() throws {
      for depth in [2, 8] {
        var file = PNGFile(width: 3, height: 1, depth: depth, colourType: .indexed)
        file.chunks = [("PLTE", [1, 2, 3, 4, 5, 6, 7, 8, 9])]
        file.samples = { x, _ in [x] }
        #expect(try read(file).pixels == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        file.samples = { x, _ in [x + 1] }
        let error = #expect(throws: ImageError.self) { try read(file) }
        #expect(error?.message.contains("is not in the palette") == true)
      }
    }

    @Test func damagedTransparencyIsRefused() throws {
      var file = file(.colour, depth: 8, width: 3, height: 3)
      file.chunks = [("tRNS", [0, 1, 0, 2])]
      let error = #expect(throws: ImageError.self) { try read(file) }
      #expect(error?.message.contains("tRNS") == true)
      // Where it has no meaning, it is ignored.
      var opaque = self.file(.colourWithOpacity, depth: 8, width: 3, height: 3)
      let image = try read(opaque)
      opaque.chunks = [("tRNS", [0, 1, 0, 2])]
      #expect(try read(opaque) == image)
    }

    @Test func imagesAboveTheLimitAreRefusedBeforeTheyTakeMemory() throws {
      for (width, height) in [(16384, 16384), (1 << 31 - 1, 1 << 31 - 1), (1 << 32 - 1, 1 << 32 - 1), (1 << 27, 1)] {
        var bytes = PNGFile.signature
        bytes += PNGFile.chunk("IHDR", PNGFile.number(width) + PNGFile.number(height) + [8, 2, 0, 0, 0])
        bytes += PNGFile.chunk("IDAT", PNGFile.zlib([0])) + PNGFile.chunk("IEND", [])
        let error = #expect(throws: ImageError.self) { try ImageReader().read("bomb.png", contents: bytes) }
        #expect(error?.kind == .tooLarge)
        #expect(error?.message == "\(width)x\(height) pixels are more than the limit of 67108864")
      }
      let small = PNGFile(width: 7, height: 5)
      #expect(throws: ImageError.self) { try ImageReader(pixelLimit: 34).read("image.png", contents: small.bytes) }
      #expect(try ImageReader(pixelLimit: 35).read("image.png", contents: small.bytes).height == 5)
      // A file must not be larger than its pixels can account for.
      let error = #expect(throws: ImageError.self) {
        try ImageReader(pixelLimit: 35).read("image.png", contents: small.bytes + [UInt8](repeating: 0, count: 1000))
      }
      #expect(error?.kind == .tooLarge)
    }
  }
}
