import Codecs

/// A cursor over Thrift's binary protocol (thrift.apache.org, "Thrift Binary protocol encoding"). As ``ProtobufReader``, it holds
/// a place only.
struct ThriftReader {
    /// How deep unknown structs and lists may nest before they count as an attack.
    private static let depthMax = 32

    enum Kind: UInt8 {
        case stop = 0
        case bool = 2
        case int8 = 3
        case double = 4
        case int16 = 6
        case int32 = 8
        case int64 = 10
        case string = 11
        case structure = 12
        case map = 13
        case set = 14
        case list = 15
        case uuid = 16
    }

    private(set) var offset = 0
    private let end: Int

    init(_ bytes: Span<UInt8>) {
        end = bytes.count
    }

    /// A field's id and kind; nil at the struct's end.
    mutating func field(in bytes: Span<UInt8>) throws(DecodeError) -> (id: Int16, kind: Kind)? {
        let kind = try self.kind(bytes)
        if kind == .stop { return nil }
        return (Int16(truncatingIfNeeded: try integer(2, bytes)), kind)
    }

    /// A list's count; its elements follow. `kind` is what they must be.
    mutating func list(of kind: Kind, _ field: StaticString, in bytes: Span<UInt8>) throws(DecodeError) -> Int {
        let place = offset
        let found = try self.kind(bytes)
        let count = try integer(4, bytes)
        guard count >= 0, count <= Int64(end - offset) else {
            throw DecodeError(
                offset: place, field: "\(field)", "\(count) elements do not fit into the \(end - offset) bytes left")
        }
        guard found == kind || count == 0 else {
            throw DecodeError(offset: place, field: "\(field)", "its elements are \(found), expected \(kind)")
        }
        return Int(count)
    }

    mutating func bool(in bytes: Span<UInt8>) throws(DecodeError) -> Bool { try integer(1, bytes) != 0 }
    mutating func int32(in bytes: Span<UInt8>) throws(DecodeError) -> Int32 { Int32(truncatingIfNeeded: try integer(4, bytes)) }
    mutating func int64(in bytes: Span<UInt8>) throws(DecodeError) -> Int64 { try integer(8, bytes) }

    mutating func double(in bytes: Span<UInt8>) throws(DecodeError) -> Double {
        Double(bitPattern: UInt64(bitPattern: try integer(8, bytes)))
    }

    mutating func string(in bytes: Span<UInt8>) throws(DecodeError) -> String { bytes.text(try content(bytes)) }
    mutating func binary(in bytes: Span<UInt8>) throws(DecodeError) -> [UInt8] { bytes.copied(try content(bytes)) }

    /// Steps over a value of `kind`.
    mutating func skip(_ kind: Kind, in bytes: Span<UInt8>, depth: Int = 0) throws(DecodeError) {
        guard depth < Self.depthMax else {
            throw DecodeError(offset: offset, "unknown fields nest deeper than \(Self.depthMax)")
        }
        switch kind {
        case .stop: break
        case .bool, .int8: _ = try integer(1, bytes)
        case .int16: _ = try integer(2, bytes)
        case .int32: _ = try integer(4, bytes)
        case .int64, .double: _ = try integer(8, bytes)
        case .uuid: for _ in 0..<2 { _ = try integer(8, bytes) }
        case .string: _ = try content(bytes)
        case .structure:
            while let field = try field(in: bytes) { try skip(field.kind, in: bytes, depth: depth + 1) }
        case .list, .set:
            let element = try self.kind(bytes)
            for _ in 0..<(try count(bytes, of: element)) { try skip(element, in: bytes, depth: depth + 1) }
        case .map:
            let (key, value) = (try self.kind(bytes), try self.kind(bytes))
            for _ in 0..<(try count(bytes, of: key)) {
                try skip(key, in: bytes, depth: depth + 1)
                try skip(value, in: bytes, depth: depth + 1)
            }
        }
    }

    /// The number of elements of a container; each takes a byte at least, so that a damaged count ends at once.
    private mutating func count(_ bytes: Span<UInt8>, of kind: Kind) throws(DecodeError) -> Int {
        let place = offset
        let count = try integer(4, bytes)
        if count > 0, kind == .stop { throw DecodeError(offset: place, "\(count) elements of no type") }
        guard count >= 0, count <= Int64(end - offset) else {
            throw DecodeError(offset: place, "\(count) elements do not fit into the \(end - offset) bytes left")
        }
        return Int(count)
    }

    private mutating func kind(_ bytes: Span<UInt8>) throws(DecodeError) -> Kind {
        guard offset < end else { throw DecodeError(offset: offset, "the message is cut short") }
        guard let kind = Kind(rawValue: bytes[offset]) else {
            throw DecodeError(offset: offset, "\(bytes[offset]) is no Thrift type: expected the binary protocol")
        }
        offset += 1
        return kind
    }

    private mutating func content(_ bytes: Span<UInt8>) throws(DecodeError) -> Range<Int> {
        let place = offset
        let count = try integer(4, bytes)
        guard count >= 0, count <= Int64(end - offset) else {
            throw DecodeError(offset: place, "\(count) bytes of text do not fit into the \(end - offset) left")
        }
        offset += Int(count)
        return (offset - Int(count))..<offset
    }

    /// A big-endian, sign-extended integer.
    private mutating func integer(_ byteCount: Int, _ bytes: Span<UInt8>) throws(DecodeError) -> Int64 {
        guard end - offset >= byteCount else { throw DecodeError(offset: offset, "the message is cut short") }
        var value = Int64(Int8(bitPattern: bytes[offset]))
        for index in 1..<max(1, byteCount) { value = value << 8 | Int64(bytes[offset + index]) }
        offset += byteCount
        return value
    }
}
