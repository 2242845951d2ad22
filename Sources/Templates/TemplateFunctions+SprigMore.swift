import Foundation
import Telemetry

extension TemplateFunctions {
    /// Sprig's remaining common functions: defaults, numbers, dates, encodings, types.
    static let sprigMore: [String: Entry] = [
        "empty": Entry(1) { arguments, _ in .bool(!arguments[0].isTrue) },
        "coalesce": Entry(0...100) { arguments, _ in arguments.first(where: \.isTrue) ?? .none },
        "ternary": Entry(3) { arguments, _ in arguments[2].isTrue ? arguments[0] : arguments[1] },
        "all": Entry(0...100) { arguments, _ in .bool(arguments.allSatisfy(\.isTrue)) },
        "any": Entry(0...100) { arguments, _ in .bool(arguments.contains(where: \.isTrue)) },
        "fail": Entry(1) { arguments, _ throws(Template.Fault) in throw Template.Fault(description: arguments[0].text) },
        "atoi": Entry(1) { arguments, _ in .int(Int64(arguments[0].text) ?? 0) },
        "int64": Entry(1) { arguments, _ in .int(arguments[0].int) },
        "toDecimal": Entry(1) { arguments, _ in .int(Int64(arguments[0].text, radix: 8) ?? 0) },
        "add1": Entry(1) { arguments, _ in .int(arguments[0].int &+ 1) },
        "biggest": Entry(1...100) { arguments, _ in .int(arguments.map(\.int).max() ?? 0) },
        "toJson": Entry(1) { arguments, _ in .string(TemplateJSON.text(arguments[0])) },
        "toRawJson": Entry(1) { arguments, _ in .string(TemplateJSON.text(arguments[0])) },
        "b32enc": Entry(1) { arguments, _ in .string(base32(Array(arguments[0].text.utf8))) },
        "urlquery": Entry(1) { arguments, _ throws(Template.Fault) in try call("urlencode", in: .loki, arguments, NoData()) },
        "env": Entry(1) { arguments, _ in .string(ProcessInfo.processInfo.environment[arguments[0].text] ?? "") },
        "uuidv4": Entry(0) { _, _ in .string(UUID().uuidString.lowercased()) },
        "kindOf": Entry(1) { arguments, _ in .string(kind(arguments[0])) },
        "typeOf": Entry(1) { arguments, _ in .string(kind(arguments[0])) },
        "kindIs": Entry(2) { arguments, _ in .bool(arguments[0].text == kind(arguments[1])) },
        "typeIs": Entry(2) { arguments, _ in .bool(arguments[0].text == kind(arguments[1])) },
        // In Sprig `duration` writes seconds; in LogQL it reads them.
        "duration": Entry(1) { arguments, _ in
            .string(GoDuration.text(arguments[0].int.multipliedReportingOverflow(by: 1_000_000_000).partialValue))
        },
        "dateInZone": Entry(3) { arguments, _ in
            .string(GoTime.text(moment(arguments[1]), layout: arguments[0].text, zone: arguments[2].text) ?? "")
        },
        "date_in_zone": Entry(3) { arguments, _ in
            .string(GoTime.text(moment(arguments[1]), layout: arguments[0].text, zone: arguments[2].text) ?? "")
        },
        "htmlDate": Entry(1) { arguments, _ in .string(GoTime.text(moment(arguments[0]), layout: "2006-01-02") ?? "") },
        "dateModify": Entry(2) { arguments, _ in .time(moment(arguments[1]) &+ (GoDuration.parse(arguments[0].text) ?? 0)) },
        "date_modify": Entry(2) { arguments, _ in .time(moment(arguments[1]) &+ (GoDuration.parse(arguments[0].text) ?? 0)) },
        "ago": Entry(1) { arguments, _ in
            let age = TimeSource.system.nanoseconds &- moment(arguments[0])
            return .string(GoDuration.text(age / 1_000_000_000 &* 1_000_000_000))
        },
    ]

    /// What functions get that are called by functions.
    private struct NoData: TemplateData {
        func value(_: String) -> TemplateValue { .none }
    }

    private static func moment(_ value: TemplateValue) -> Int64 {
        if case .time(let nanoseconds) = value { return nanoseconds }
        return value.int.multipliedReportingOverflow(by: 1_000_000_000).partialValue
    }

    private static func kind(_ value: TemplateValue) -> String {
        switch value {
        case .none: "invalid"
        case .string: "string"
        case .int: "int"
        case .double: "float64"
        case .bool: "bool"
        case .time: "struct"
        case .list: "slice"
        case .map, .data: "map"
        }
    }

    private static func base32(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var (result, buffer, bitCount) = ("", UInt32(0), 0)
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bitCount += 8
            while bitCount >= 5 {
                bitCount -= 5
                result.append(alphabet[Int(buffer >> UInt32(bitCount)) & 31])
            }
            buffer &= (1 << UInt32(bitCount)) - 1
        }
        if bitCount > 0 { result.append(alphabet[Int(buffer << UInt32(5 - bitCount)) & 31]) }
        while result.count % 8 != 0 { result += "=" }
        return result
    }
}
