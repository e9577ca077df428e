import TensorBoard
import Testing

@Suite struct RecordTests {
  /// RFC 3720, appendix B.4, and the check value of the CRC catalogue.
  @Test func checksumsMatchPublishedExamples() {
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.checksum(0..<32) == 0x46DD_794E)
    #expect(CRC32C.checksum((0..<32).reversed()) == 0x113F_DB5C)
    #expect(CRC32C.checksum("123456789".utf8) == 0xE306_9283)
    #expect(CRC32C.checksum([]) == 0)
  }

  /// The first record of TensorFlow's event files has 24 bytes of data, so all of them start with the same 12 bytes.
  @Test func frameStartsLikeThoseOfEventFiles() {
    let record = RunEvent.formatVersion.record(step: 0, time: 1.5)
    #expect(record.prefix(12) == [24, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22])
    #expect(record.count == 12 + 24 + 4)
    // Field 1: 1.5 as a double; field 3: a string of 13 bytes.
    #expect(record[12..<23] == [9, 0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 26, 13])
    #expect(record[23..<36].elementsEqual("brain.Event:2".utf8))
  }

  @Test func frameHoldsTheDataBetweenItsChecksums() {
    let data = [UInt8]("data".utf8)
    let framed = Record.framed(data)
    #expect(framed.prefix(8) == [4, 0, 0, 0, 0, 0, 0, 0])
    #expect(Array(framed[12..<16]) == data)
    let masked = framed[16...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let turned = masked &- 0xA282_EAD8
    #expect(turned << 15 | turned >> 17 == CRC32C.checksum(data))
  }
}

@Suite struct RunEventTests {
  /// The field numbers of TensorFlow's event.proto and summary.proto.
  @Test func scalarIsAValueWithItsTag() {
    let data = Array(RunEvent.scalars([("a", 0.5)]).record(step: 3, time: 0)[12...].dropLast(4))
    #expect(data == [16, 3, 42, 10, 10, 8, 10, 1, 0x61, 21, 0, 0, 0, 0x3F])
  }

  @Test func startEventIsASessionLog() {
    #expect(Array(RunEvent.start.record(step: 3, time: 0)[12...].dropLast(4)) == [16, 3, 58, 2, 8, 1])
  }

  @Test func imageHasItsSizeAndItsFile() {
    let picture = RunEvent.image(tag: "s", png: [7, 8], width: 3, height: 2, channels: 1)
    let data = Array(picture.record(step: 0, time: 0)[12...].dropLast(4))
    #expect(data == [42, 17, 10, 15, 10, 1, 0x73, 34, 10, 8, 2, 16, 3, 24, 1, 34, 2, 7, 8])
  }

  @Test func textIsATensorOfOneStringForTheTextDashboard() {
    let data = Array(RunEvent.text(tag: "t", markdown: "é").record(step: 0, time: 0)[12...].dropLast(4))
    #expect(
      data == [
        42, 27, 10, 25, 10, 1, 0x74, 66, 8, 8, 7, 18, 0, 66, 2, 0xC3, 0xA9, 74, 10, 10, 6, 10, 4, 0x74, 0x65, 0x78,
        0x74, 32, 2,
      ])
  }
}
