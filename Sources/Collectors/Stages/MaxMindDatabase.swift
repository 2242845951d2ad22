import Foundation

/// A MaxMind DB file: what is known of IP addresses (maxmind.github.io/MaxMind-DB, version 2.0).
struct MaxMindDatabase: Sendable {
    struct Fault: Error, Sendable, CustomStringConvertible {
        var description: String
    }

    indirect enum Value: Sendable, Hashable {
        case text(String)
        case double(Double)
        case number(UInt64)
        case integer(Int64)
        case bool(Bool)
        case bytes([UInt8])
        case map([String: Value])
        case array([Value])

        subscript(name: String) -> Value? { if case .map(let members) = self { members[name] } else { nil } }

        var text: String? { if case .text(let text) = self { text } else { nil } }
        var elements: [Value]? { if case .array(let elements) = self { elements } else { nil } }

        var double: Double? {
            switch self {
            case .double(let value): value
            case .number(let value): Double(value)
            case .integer(let value): Double(value)
            default: nil
            }
        }

        var number: UInt64? { if case .number(let value) = self { value } else { nil } }
    }

    /// The file, mapped.
    private let data: Data
    private let nodeCount: Int
    private let recordBitCount: Int
    private let isVersion6: Bool
    /// Where the data begins: behind the tree and 16 bytes of zero.
    private let dataStart: Int
    /// The node at which IPv4 addresses begin in a tree of IPv6 addresses.
    private let version4Start: Int
    let type: String

    /// What the metadata begins with: the last such bytes of the file count.
    private static let marker = Data([0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8))
    private static let metadataByteCountMax = 128 << 10

    init(path: String) throws(Fault) {
        do {
            try self.init(Data(contentsOf: URL(filePath: path), options: .mappedIfSafe))
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(description: "cannot read \(path): \(error.localizedDescription)")
        }
    }

    init(_ data: Data) throws(Fault) {
        let tail = max(data.startIndex, data.endIndex - Self.metadataByteCountMax)
        guard let marker = data.range(of: Self.marker, options: .backwards, in: tail..<data.endIndex) else {
            throw Fault(description: "this is no MaxMind DB file: it has no metadata")
        }
        self.data = data
        var decoder = Decoder(data: data, base: marker.upperBound - data.startIndex)
        guard case .map(let metadata) = try decoder.value(at: 0).value, let count = metadata["node_count"]?.number.flatMap({ Int(exactly: $0) }),
            let size = metadata["record_size"]?.number.flatMap({ Int(exactly: $0) }), [24, 28, 32].contains(size),
            let version = metadata["ip_version"]?.number, version == 4 || version == 6, count >= 0, count < 1 << 40
        else { throw Fault(description: "the metadata of the MaxMind DB file is damaged") }
        nodeCount = count
        recordBitCount = size
        isVersion6 = version == 6
        type = metadata["database_type"]?.text ?? ""
        dataStart = count * size / 4 + 16
        guard dataStart <= data.count else { throw Fault(description: "the MaxMind DB file is cut short") }
        var node = 0
        if isVersion6 {
            for _ in 0..<96 where node < count { node = Self.record(data, node, 0, size) ?? count }
        }
        version4Start = node
    }

    /// What is known of an address (4 or 16 bytes); nil where nothing is.
    func lookUp(_ address: [UInt8]) throws(Fault) -> Value? {
        guard address.count == 4 || isVersion6 else { return nil }
        var node = address.count == 4 ? version4Start : 0
        for byte in address {
            for bit in (0..<8).reversed() where node < nodeCount {
                guard let next = Self.record(data, node, Int(byte >> UInt8(bit)) & 1, recordBitCount) else {
                    throw Fault(description: "the search tree of the MaxMind DB file is damaged")
                }
                node = next
            }
        }
        guard node > nodeCount else { return nil }
        var decoder = Decoder(data: data, base: dataStart)
        return try decoder.value(at: node - nodeCount - 16).value
    }

    /// The left (0) or right (1) record of a node.
    private static func record(_ data: Data, _ node: Int, _ side: Int, _ bitCount: Int) -> Int? {
        let start = data.startIndex + node * bitCount / 4
        guard node >= 0, start + bitCount / 4 <= data.endIndex else { return nil }
        func number(_ offset: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 << 8 | Int(data[start + offset + $1]) } }
        switch bitCount {
        case 24: return number(side * 3, 3)
        case 32: return number(side * 4, 4)
        default:
            // The middle byte holds the highest four bits of both.
            let middle = Int(data[start + 3])
            return side == 0 ? (middle >> 4) << 24 | number(0, 3) : (middle & 15) << 24 | number(4, 3)
        }
    }

    /// Reads the data section, or the metadata.
    private struct Decoder {
        let data: Data
        /// Where pointers start to count.
        let base: Int
        private var depth = 0
        private var valueCount = 0

        init(data: Data, base: Int) {
            self.data = data
            self.base = base
        }

        /// Deeper or larger records are damage: no record of MaxMind's comes near.
        private static let depthMax = 64
        private static let valueCountMax = 100_000

        private func byte(_ offset: Int) throws(Fault) -> Int {
            let index = data.startIndex + base + offset
            guard offset >= 0, index < data.endIndex else { throw Fault(description: "the MaxMind DB file is damaged at byte \(base + offset)") }
            return Int(data[index])
        }

        private func bytes(_ offset: Int, _ count: Int) throws(Fault) -> Data {
            let start = data.startIndex + base + offset
            guard offset >= 0, count >= 0, count <= data.endIndex - start else {
                throw Fault(description: "the MaxMind DB file is damaged at byte \(base + offset)")
            }
            return data[start..<(start + count)]
        }

        private func number(_ offset: Int, _ count: Int) throws(Fault) -> UInt64 {
            try bytes(offset, count).reduce(0) { $0 << 8 | UInt64($1) }
        }

        /// The value at `offset`, and where the next one begins.
        mutating func value(at offset: Int) throws(Fault) -> (value: Value, next: Int) {
            depth += 1
            defer { depth -= 1 }
            valueCount += 1
            guard depth <= Self.depthMax, valueCount <= Self.valueCountMax else {
                throw Fault(description: "a record of the MaxMind DB file is nested too deep or too large")
            }
            let control = try byte(offset)
            var (type, position) = (control >> 5, offset + 1)
            if type == 1 {
                let (target, next) = try pointer(control, position)
                return (try value(at: target).value, next)
            }
            if type == 0 {
                type = try byte(position) + 7
                position += 1
            }
            var count = control & 31
            if count >= 29 {
                let extra = count - 28
                count = [29, 285, 65_821][extra - 1] + Int(try number(position, extra))
                position += extra
            }
            switch type {
            case 2: return (.text(String(decoding: try bytes(position, count), as: UTF8.self)), position + count)
            case 3: return (.double(Double(bitPattern: try number(position, 8))), position + 8)
            case 4: return (.bytes(Array(try bytes(position, count))), position + count)
            case 5, 6, 9: return (.number(try number(position, min(count, 8))), position + count)
            case 10: return (.bytes(Array(try bytes(position, count))), position + count)
            case 7: return try map(count, position)
            case 8:
                let raw = try number(position, min(count, 4))
                return (.integer(Int64(Int32(truncatingIfNeeded: raw))), position + count)
            case 11: return try array(count, position)
            case 14: return (.bool(count != 0), position)
            case 15: return (.double(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try number(position, 4))))), position + 4)
            default: throw Fault(description: "the MaxMind DB file has a value of the unknown type \(type) at byte \(base + offset)")
            }
        }

        private func pointer(_ control: Int, _ position: Int) throws(Fault) -> (target: Int, next: Int) {
            let size = (control >> 3) & 3
            let rest = Int(try number(position, size + 1))
            let high = (control & 7) << (8 * (size + 1))
            switch size {
            case 0: return (high | rest, position + 1)
            case 1: return ((high | rest) + 2_048, position + 2)
            case 2: return ((high | rest) + 526_336, position + 3)
            default: return (rest, position + 4)
            }
        }

        private mutating func map(_ count: Int, _ start: Int) throws(Fault) -> (value: Value, next: Int) {
            var (members, position): ([String: Value], Int) = ([:], start)
            for _ in 0..<count {
                let (key, afterKey) = try value(at: position)
                let (member, next) = try value(at: afterKey)
                if let name = key.text { members[name] = member }
                position = next
            }
            return (.map(members), position)
        }

        private mutating func array(_ count: Int, _ start: Int) throws(Fault) -> (value: Value, next: Int) {
            var (elements, position): ([Value], Int) = ([], start)
            for _ in 0..<count {
                let (element, next) = try value(at: position)
                elements.append(element)
                position = next
            }
            return (.array(elements), position)
        }
    }
}
