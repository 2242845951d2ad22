import Telemetry

/// Reads Go's string literals: double or single quotes with escapes, backquotes without.
package enum StringLiteral {
    package struct Failure: Error, Sendable {
        package var message: String
    }

    /// The text of a literal with its quotes; nil bytes of `\x` and octal escapes may make invalid UTF-8, which is replaced.
    package static func unquote(_ literal: String) throws(Failure) -> String {
        String(decoding: try bytes(of: literal), as: UTF8.self)
    }

    /// The bytes that a literal stands for.
    package static func bytes(of literal: String) throws(Failure) -> [UInt8] {
        let bytes = Array(literal.utf8)
        guard let quote = bytes.first, bytes.count >= 2, bytes.last == quote else {
            throw Failure(message: "invalid syntax")
        }
        let body = bytes[1..<bytes.count - 1]
        if quote == UInt8(ascii: "`") { return body.filter { $0 != UInt8(ascii: "\r") } }
        var result: [UInt8] = []
        result.reserveCapacity(body.count)
        var index = body.startIndex
        while index < body.endIndex {
            let byte = body[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            guard index < body.endIndex else { throw Failure(message: "invalid syntax") }
            let escape = body[index]
            index += 1
            switch escape {
            case UInt8(ascii: "a"): result.append(7)
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "v"): result.append(11)
            case UInt8(ascii: "\\"): result.append(escape)
            case quote: result.append(escape)
            case UInt8(ascii: "x"):
                result.append(UInt8(truncatingIfNeeded: try digits(body, &index, count: 2, radix: 16)))
            case UInt8(ascii: "0")...UInt8(ascii: "7"):
                index -= 1
                let value = try digits(body, &index, count: 3, radix: 8)
                guard value <= 255 else { throw Failure(message: "invalid syntax") }
                result.append(UInt8(truncatingIfNeeded: value))
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                let value = try digits(body, &index, count: escape == UInt8(ascii: "u") ? 4 : 8, radix: 16)
                guard let scalar = Unicode.Scalar(value) else { throw Failure(message: "invalid syntax") }
                result.append(contentsOf: String(Character(scalar)).utf8)
            default:
                throw Failure(
                    message: "unknown escape sequence U+" + hex(escape) + " '\(Character(Unicode.Scalar(escape)))'")
            }
        }
        return result
    }

    private static func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - text.count) + text
    }

    private static func digits(_ body: ArraySlice<UInt8>, _ index: inout Int, count: Int, radix: UInt32) throws(Failure)
        -> UInt32
    {
        guard index + count <= body.endIndex else { throw Failure(message: "invalid syntax") }
        var value: UInt32 = 0
        for byte in body[index..<index + count] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix else {
                throw Failure(message: "invalid syntax")
            }
            value = value &* radix &+ UInt32(digit)
        }
        index += count
        return value
    }
}
