import Codecs
import Testing

@Suite("Protobuf")
struct ProtobufTests {
    /// Every kind of field once.
    static let message: [UInt8] = {
        var writer = ProtobufWriter()
        writer.uint64(1, 150)
        writer.sint64(2, -3)
        writer.double(3, -0.5)
        writer.fixed32(4, 7)
        writer.string(5, "swift")
        writer.message(6) { nested in
            nested.int32(1, -1)
            nested.bytes(2, [UInt8](repeating: 9, count: 200))
        }
        writer.packedDoubles(7, [1, 2])
        writer.packedSInt64s(8, [-1, 0, 300])
        writer.bool(9, true)
        return writer.bytes
    }()

    @Test("reads back what the writer wrote")
    func roundTrip() throws {
        let bytes = Self.message
        var reader = ProtobufReader(bytes.span)
        var numbers: [Int] = []
        while let field = try reader.next(in: bytes.span) {
            numbers.append(field.number)
            switch field.number {
            case 1: #expect(try field.uint64("a") == 150)
            case 2: #expect(try field.sint64("b") == -3)
            case 3: #expect(try field.double("c") == -0.5)
            case 4: #expect(try field.fixed32("d") == 7)
            case 5: #expect(try field.validString("e", in: bytes.span) == "swift")
            case 6:
                var nested = try field.message("f")
                #expect(try nested.next(in: bytes.span)?.int32("g") == -1)
                #expect(try nested.next(in: bytes.span)?.bytes("h", in: bytes.span) == [UInt8](repeating: 9, count: 200))
                #expect(try nested.next(in: bytes.span)?.number == nil)
            case 7:
                var values: [Double] = []
                try field.appendDoubles("i", in: bytes.span, to: &values)
                #expect(values == [1, 2])
            case 8:
                var values: [Int64] = []
                try field.appendSInt64s("j", in: bytes.span, to: &values)
                #expect(values == [-1, 0, 300])
            default: #expect(try field.bool("k"))
            }
        }
        #expect(numbers == Array(1...9))
    }

    @Test("writes the bytes that protobuf's documentation shows")
    func golden() {
        var writer = ProtobufWriter()
        writer.message(3) { $0.uint64(1, 150) }
        writer.string(2, "testing")
        #expect(writer.bytes == [0x1a, 0x03, 0x08, 0x96, 0x01, 0x12, 0x07] + Array("testing".utf8))
    }

    @Test("leaves defaults out unless asked for them")
    func defaults() {
        var writer = ProtobufWriter()
        writer.uint64(1, 0)
        writer.string(2, "")
        writer.double(3, 0)
        #expect(writer.bytes.isEmpty)
        writer.double(3, -0.0)
        #expect(writer.bytes.count == 9)
        writer.uint64(1, 0, always: true)
        #expect(writer.bytes.suffix(2) == [8, 0])
    }

    @Test("takes repeated numbers that are not packed")
    func unpacked() throws {
        var writer = ProtobufWriter()
        writer.double(7, 1)
        writer.double(7, 2)
        let bytes = writer.bytes
        var values: [Double] = []
        var reader = ProtobufReader(bytes.span)
        while let field = try reader.next(in: bytes.span) { try field.appendDoubles("values", in: bytes.span, to: &values) }
        #expect(values == [1, 2])
    }

    @Test(
        "says what is wrong and where",
        arguments: [
            ([0x08], "byte 1: a varint is cut short at byte 1"),
            ([0x00, 0x01], "byte 0: 0 is no field number: this is not the protobuf message expected"),
            ([0x0b], "field number 1 at byte 0: its wire type 3 is a group, which proto3 has not"),
            ([0x0e], "field number 1 at byte 0: its wire type 6 is unknown"),
            ([0x12, 5, 1], "field number 2 at byte 0: it needs 5 bytes, but its message has 1 left: cut short"),
            ([0x09, 5, 1], "field number 1 at byte 0: it needs 8 bytes, but its message has 2 left: cut short"),
            (
                [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
                "field number 2 at byte 0: it needs 18446744073709551615 bytes, but its message has 0 left: cut short"
            ),
        ] as [([UInt8], String)])
    func errors(bytes: [UInt8], description: String) {
        let error = #expect(throws: DecodeError.self) {
            var reader = ProtobufReader(bytes.span)
            while try reader.next(in: bytes.span) != nil {}
        }
        #expect(error?.description == description)
    }

    @Test("names the field whose wire type is another")
    func wireTypes() throws {
        let bytes: [UInt8] = [0x08, 1]
        var reader = ProtobufReader(bytes.span)
        let field = try #require(try reader.next(in: bytes.span))
        let error = #expect(throws: DecodeError.self) { try field.string("Span.name", in: bytes.span) }
        #expect(error?.description == "field Span.name at byte 0: its wire type is 0 (varint), expected 2 (lengthDelimited)")
    }

    @Test("never reads beyond a truncated message")
    func truncations() {
        for count in 0..<Self.message.count {
            let bytes = Array(Self.message[..<count])
            var reader = ProtobufReader(bytes.span)
            while let field = try? reader.next(in: bytes.span) {
                if let range = try? field.range("any") { #expect(range.upperBound <= count) }
            }
        }
    }
}
