import Codecs
import Foundation
import TestSupport
import Testing

/// What real clients sent, with what it means (`conformance/captures`), and damage to do to it.
enum Captures {
    struct Capture: Sendable, CustomStringConvertible {
        var path: String
        var type: String
        var contentEncoding: String?
        var expectedPath: String

        var description: String { path }

        /// The message after decompression.
        func message() throws -> [UInt8] {
            let bytes = try SharedCases.bytes("conformance/captures/" + path)
            let encoding = contentEncoding.map { $0.hasPrefix("snappy") ? "snappy" : $0 } ?? ""
            let compression = try #require(Compression.named(contentEncoding: encoding))
            return try compression.decompress(bytes.span, byteCountMax: 64 << 20)
        }

        func expected() throws -> JSONValue {
            let bytes = try SharedCases.bytes("conformance/captures/" + expectedPath)
            return try JSONValue(parsing: bytes.span)
        }
    }

    private static func readIndex() throws -> JSONValue {
        let bytes = try SharedCases.bytes("conformance/captures/expected/index.json")
        return try JSONValue(parsing: bytes.span)
    }

    /// The captures of one type of message, by a part of its name.
    static func all(_ type: String) -> [Capture] {
        guard SharedCases.exist, let index = try? readIndex() else { return [] }
        return (index.object?.members ?? []).compactMap { member in
            guard let name = member.value["type"]?.string, name.contains(type), let expected = member.value["expected"]?.string
            else { return nil }
            return Capture(
                path: member.name, type: name, contentEncoding: member.value["contentEncoding"]?.string, expectedPath: expected)
        }
    }
}

/// Damage that a decoder must survive: it may throw or decode, never trap.
enum Damage {
    /// Every proper prefix, or every n-th of a long message.
    static func truncations(_ bytes: [UInt8], _ body: ([UInt8]) -> Void) {
        for count in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 1_000)) { body(Array(bytes[..<count])) }
    }

    /// Every single-bit flip, or every n-th of a long message.
    static func bitFlips(_ bytes: [UInt8], _ body: ([UInt8]) -> Void) {
        let step = max(1, bytes.count * 8 / 3_000) | 1
        for bit in stride(from: 0, to: bytes.count * 8, by: step) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            body(damaged)
        }
    }

    static func both(_ bytes: [UInt8], _ body: ([UInt8]) -> Void) {
        truncations(bytes, body)
        bitFlips(bytes, body)
    }
}

extension JSONValue {
    /// A 64-bit integer as protobuf's JSON mapping writes it: a string, absent where 0.
    var proto64: Int64 { string.flatMap { Int64($0) } ?? int64 ?? 0 }

    var protoU64: UInt64 { string.flatMap { UInt64($0) } ?? 0 }

    /// A double as protobuf's JSON mapping writes it, with the captures' "StaleNaN".
    var protoDouble: Double {
        switch string {
        case "NaN": .nan
        case "Infinity", "+Inf": .infinity
        case "-Infinity", "-Inf": -.infinity
        case "StaleNaN": Double(bitPattern: 0x7ff0_0000_0000_0002)
        default: double ?? 0
        }
    }
}

extension JSONValue? {
    var elements: [JSONValue] { self?.array ?? [] }
    var text: String { self?.string ?? "" }
    var proto64: Int64 { self?.proto64 ?? 0 }
    var protoDouble: Double { self?.protoDouble ?? 0 }
}

extension Double {
    /// Equal, or both NaN (and both staleness markers or neither).
    func isSame(as other: Double) -> Bool {
        bitPattern == other.bitPattern || self == other
            || (isNaN && other.isNaN && (bitPattern == 0x7ff0_0000_0000_0002) == (other.bitPattern == 0x7ff0_0000_0000_0002))
    }
}
