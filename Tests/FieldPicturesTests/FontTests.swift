import FieldPictures
import Testing

struct FontTests {
  private static let printable = (0x20...0x7e).map { Character(UnicodeScalar(UInt8($0))) }

  @Test func everyPrintableCharacterHasItsOwnGlyph() {
    var glyphs: Set<[UInt8]> = []
    for character in Self.printable {
      let rows = Font.rows(of: character)
      #expect(rows.count == Font.height && rows.allSatisfy { $0 < 1 << Font.width }, "\(character)")
      #expect(rows.contains { $0 != 0 } == (character != " "), "\(character)")
      glyphs.insert(rows)
    }
    #expect(glyphs.count == Self.printable.count)
  }

  @Test(arguments: ["°", "µ", "é", "\n", "\r\n", "\0", "\u{7f}", "🙂"])
  func othersLookLikeAQuestionMark(character: Character) {
    #expect(Font.rows(of: character) == Font.rows(of: "?"))
  }

  @Test func glyphsHaveTheShapesThatWereDrawn() {
    let drawn = { (character: Character) in
      Font.rows(of: character).map { row in
        String((0..<Font.width).map { row >> $0 & 1 == 1 ? "#" : "." })
      }
    }
    #expect(drawn("7") == ["#####", "....#", "...#.", "..#..", "..#..", ".#...", ".#...", ".....", "....."])
    #expect(drawn("p") == [".....", ".....", "####.", "#...#", "#...#", "#...#", "####.", "#....", "#...."])
    #expect(drawn("-")[3] == ".###.")
    #expect(drawn("~")[3] == "#.#.#")
  }

  @Test func widthsCountTheGapsBetweenCharacters() {
    #expect(Font.width(of: "") == 0)
    #expect(Font.width(of: "a") == 5)
    #expect(Font.width(of: "1.5") == 17)
  }
}
