import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Collectors

@Suite("geoip and MaxMind's file format")
struct GeoIPStageTests {
    /// Writes a database of IPv6 addresses with records of 24 bits that knows 1.2.3.0/24 and 2001:db8::/32.
    struct Writer {
        var data: [UInt8] = []
        var nodes: [(Int?, Int?)] = [(nil, nil)]
        var leaves: [Int: (Int?, Int?)] = [:]

        static func text(_ text: String) -> [UInt8] { header(2, text.utf8.count) + Array(text.utf8) }
        static func double(_ value: Double) -> [UInt8] { header(3, 8) + withUnsafeBytes(of: value.bitPattern.bigEndian) { Array($0) } }
        static func number(_ value: UInt32) -> [UInt8] { header(6, 4) + withUnsafeBytes(of: value.bigEndian) { Array($0) } }
        static func map(_ pairs: [(String, [UInt8])]) -> [UInt8] { header(7, pairs.count) + pairs.flatMap { text($0.0) + $0.1 } }
        static func array(_ items: [[UInt8]]) -> [UInt8] { header(11, items.count) + items.flatMap { $0 } }

        static func header(_ type: Int, _ count: Int) -> [UInt8] {
            let size = count < 29 ? count : 29
            let extra: [UInt8] = count < 29 ? [] : [UInt8(count - 29)]
            return type <= 7 ? [UInt8(type << 5 | size)] + extra : [UInt8(size), UInt8(type - 7)] + extra
        }

        /// Adds a network: its bits, and the offset of its record in ``data``.
        mutating func add(_ address: [UInt8], bits: Int, offset: Int) {
            var node = 0
            for index in 0..<bits {
                let bit = address[index / 8] >> UInt8(7 - index % 8) & 1
                if index == bits - 1 {
                    var leaf = leaves[node] ?? (nil, nil)
                    if bit == 0 { leaf.0 = offset } else { leaf.1 = offset }
                    leaves[node] = leaf
                    return
                }
                if let next = bit == 0 ? nodes[node].0 : nodes[node].1 {
                    node = next
                } else {
                    nodes.append((nil, nil))
                    if bit == 0 { nodes[node].0 = nodes.count - 1 } else { nodes[node].1 = nodes.count - 1 }
                    node = nodes.count - 1
                }
            }
        }

        var file: [UInt8] {
            var bytes: [UInt8] = []
            for (index, node) in nodes.enumerated() {
                for (next, leaf) in [(node.0, leaves[index]?.0), (node.1, leaves[index]?.1)] {
                    let value = next ?? leaf.map { $0 + nodes.count + 16 } ?? nodes.count
                    bytes += [UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
                }
            }
            bytes += [UInt8](repeating: 0, count: 16) + data + [0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8)
            return bytes
                + Self.map([
                    ("node_count", Self.number(UInt32(nodes.count))), ("record_size", Self.header(5, 1) + [24]), ("ip_version", Self.header(5, 1) + [6]),
                    ("database_type", Self.text("Test-City")),
                ])
        }
    }

    static var database: [UInt8] {
        var writer = Writer()
        func named(_ name: String) -> (String, [UInt8]) { ("names", Writer.map([("en", Writer.text(name)), ("de", Writer.text("x"))])) }
        let city = Writer.map([
            ("city", Writer.map([named("Springfield, a town with a rather long name")])), ("country", Writer.map([named("Nowhere")])),
            ("continent", Writer.map([("code", Writer.text("XX")), named("Middle Earth")])),
            ("location", Writer.map([("latitude", Writer.double(51.5)), ("longitude", Writer.double(-0.25)), ("time_zone", Writer.text("Europe/London"))])),
            ("postal", Writer.map([("code", Writer.text("ZIP 1"))])),
            ("subdivisions", Writer.array([Writer.map([named("big")]), Writer.map([("iso_code", Writer.text("SM")), named("small")])])),
        ])
        writer.data = city
        // The second record is a pointer to the first.
        let pointer = writer.data.count
        writer.data += [0x20, 0]
        writer.add([UInt8](repeating: 0, count: 12) + [1, 2, 3, 0], bits: 120, offset: 0)
        writer.add([0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 12), bits: 32, offset: pointer)
        return writer.file
    }

    @Test("an address gets the labels of its place, IPv4 or IPv6, and an unknown one none")
    func city() throws {
        let scratch = try ScratchFolder()
        let path = scratch.path + "/city.mmdb"
        try Data(Self.database).write(to: URL(filePath: path))
        let yaml = "- regex: {expression: '(?P<ip>\\S+)'}\n- geoip: {db: \(path), source: ip, db_type: city}"
        let expected = Labels([
            "geoip_city_name": "Springfield, a town with a rather long name", "geoip_country_name": "Nowhere", "geoip_continent_name": "Middle Earth",
            "geoip_continent_code": "XX", "geoip_location_latitude": "51.5", "geoip_location_longitude": "-0.25", "geoip_timezone": "Europe/London",
            "geoip_postal_code": "ZIP 1", "geoip_subdivision_name": "small", "geoip_subdivision_code": "SM",
        ])
        for address in ["1.2.3.4", "2001:db8::1", "::ffff:1.2.3.9"] {
            #expect(try StageHarness.one(yaml, address, labels: .empty)?.labels == expected, "\(address)")
        }
        for address in ["1.2.4.4", "2001:db9::1", "nonsense"] {
            #expect(try StageHarness.one(yaml, address, labels: .empty)?.labels == .empty, "\(address)")
        }
    }

    @Test("a cut or damaged file is refused, or answers without failing")
    func damage() throws {
        let bytes = Self.database
        for count in stride(from: 0, to: bytes.count, by: 7) { _ = try? MaxMindDatabase(Data(bytes.prefix(count))).lookUp([1, 2, 3, 4]) }
        for index in 0..<bytes.count {
            var flipped = bytes
            flipped[index] ^= 0xff
            _ = try? MaxMindDatabase(Data(flipped)).lookUp([1, 2, 3, 4])
            _ = try? MaxMindDatabase(Data(flipped)).lookUp([0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 1, count: 12))
        }
    }
}
