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

  @Test func everyOtherCharacterHasItsOwnGlyph() {
    // The micro sign and the Greek letter look the same.
    let others = Font.others.filter { $0 != "μ" }
    let glyphs = Set((Self.printable + others).map(Font.rows(of:)))
    #expect(glyphs.count == Self.printable.count + others.count)
    #expect(Font.rows(of: "μ") == Font.rows(of: "µ"))
    for character in Font.others {
      let rows = Font.rows(of: character)
      #expect(rows.count == Font.height && rows.allSatisfy { $0 < 1 << Font.width }, "\(character)")
      #expect(rows.contains { $0 != 0 }, "\(character)")
    }
  }

  @Test func charactersWithMarksCanBeComposed() {
    #expect(Font.rows(of: "e\u{301}") == Font.rows(of: "\u{e9}"))
  }

  @Test(arguments: ["ç", "Ж", "\n", "\r\n", "\0", "\u{7f}", "🙂"])
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
    #expect(drawn("°") == [".##..", "#..#.", "#..#.", ".##..", ".....", ".....", ".....", ".....", "....."])
    #expect(drawn("²") == [".##..", "...#.", "..#..", ".#...", ".###.", ".....", ".....", ".....", "....."])
    #expect(drawn("å")[0..<3] == ["..#..", ".#.#.", ".###."])
    #expect(drawn("-")[3] == ".###.")
    #expect(drawn("~")[3] == "#.#.#")
  }

  @Test func widthsCountTheGapsBetweenCharacters() {
    #expect(Font.width(of: "") == 0)
    #expect(Font.width(of: "a") == 5)
    #expect(Font.width(of: "1.5") == 17)
  }
}
