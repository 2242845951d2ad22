import Patterns
import Settings
import Telemetry

/// The functions that templates may call: Go's own and Prometheus' (template/template.go).
enum TemplateFunctions {
    /// What a function says of its arguments.
    struct Failure: Error, CustomStringConvertible {
        var description: String

        init(_ description: String) {
            self.description = description
        }
    }

    static let names: Set<String> = Set(goNames).union(textNames).union(numberNames).union([
        "query", "first", "label", "value", "strvalue", "args", "sortByLabel", "externalURL", "pathPrefix", "now",
        "graphLink", "tableLink",
    ])

    static func call(_ name: String, _ arguments: [TemplateValue], _ context: TemplateContext) async throws
        -> TemplateValue
    {
        if goNames.contains(name) { return try callGo(name, arguments) }
        if textNames.contains(name) { return try callText(name, arguments) }
        if numberNames.contains(name) { return try callNumber(name, arguments) }
        switch name {
        case "query":
            return .list(try await context.query(string(arguments, 0, of: 1)).map { .sample($0.labels, $0.value) })
        case "first":
            guard case .list(let values)? = arguments.first, let first = values.first else {
                throw Failure("first() called on vector with no elements")
            }
            return first
        case "label":
            guard arguments.count == 2, case .sample(let labels, _) = arguments[1] else {
                throw Failure("label() expects a name and a sample")
            }
            return .string(labels[try string(arguments, 0, of: 2)] ?? "")
        case "value":
            guard case .sample(_, let value)? = arguments.first else { throw Failure("value() expects a sample") }
            return .double(value)
        case "strvalue":
            guard case .sample(let labels, _)? = arguments.first else { throw Failure("strvalue() expects a sample") }
            return .string(labels["__value__"] ?? "")
        case "args":
            return .map(
                Dictionary(uniqueKeysWithValues: arguments.enumerated().map { ("arg\($0.offset)", $0.element) }))
        case "sortByLabel":
            guard arguments.count == 2, case .list(let values) = arguments[1] else {
                throw Failure("sortByLabel() expects a name and a vector")
            }
            let label = try string(arguments, 0, of: 2)
            func key(_ value: TemplateValue) -> String {
                if case .sample(let labels, _) = value { labels[label] ?? "" } else { "" }
            }
            return .list(values.sorted { key($0).utf8Precedes(key($1)) })
        case "externalURL": return .string(context.externalURL)
        case "pathPrefix": return .string(path(of: context.externalURL))
        case "now": return .double(Double(context.now) / 1_000)
        case "graphLink": return .string("/graph?g0.expr=" + urlQuery(try string(arguments, 0, of: 1)) + "&g0.tab=0")
        case "tableLink": return .string("/graph?g0.expr=" + urlQuery(try string(arguments, 0, of: 1)) + "&g0.tab=1")
        default: throw Failure("function \(name.quoted) not defined")
        }
    }

    // MARK: Texts

    private static let textNames: Set<String> = [
        "reReplaceAll", "match", "title", "toUpper", "toLower", "stripPort", "stripDomain", "safeHtml",
        "urlQueryEscape", "htmlEscape",
    ]

    private static func callText(_ name: String, _ arguments: [TemplateValue]) throws -> TemplateValue {
        switch name {
        case "reReplaceAll":
            let pattern = try Pattern(try string(arguments, 0, of: 3))
            return .string(
                replaceAll(pattern, with: try string(arguments, 1, of: 3), in: try string(arguments, 2, of: 3)))
        case "match":
            return .bool(try Pattern(try string(arguments, 0, of: 2)).matchesPart(try string(arguments, 1, of: 2)))
        case "title":
            var isStart = true
            var result = ""
            for character in try string(arguments, 0, of: 1) {
                result += isStart ? character.uppercased() : String(character)
                isStart = !(character.isLetter || character.isNumber || character == "_" || character == "'")
            }
            return .string(result)
        case "toUpper": return .string(try string(arguments, 0, of: 1).uppercased())
        case "toLower": return .string(try string(arguments, 0, of: 1).lowercased())
        case "stripPort":
            let text = try string(arguments, 0, of: 1)
            guard let colon = text.lastIndex(of: ":"), text.hasPrefix("[") || text.filter({ $0 == ":" }).count == 1
            else { return .string(text) }
            return .string(text[..<colon].trimmingBrackets)
        case "stripDomain":
            let text = try string(arguments, 0, of: 1)
            let host = text.prefix { $0 != ":" }
            // An address has no domain to strip.
            if text.contains("[") || host.allSatisfy({ $0.isNumber || $0 == "." }) { return .string(text) }
            return .string(String(host.prefix { $0 != "." }) + text.dropFirst(host.count))
        case "urlQueryEscape": return .string(urlQuery(try string(arguments, 0, of: 1)))
        case "htmlEscape": return .string(html(try string(arguments, 0, of: 1)))
        default: return .string(try string(arguments, 0, of: 1))
        }
    }

    /// Replaces every match; `$1`, `${1}` and `$name` stand for groups (Go, `Regexp.ReplaceAllString`).
    static func replaceAll(_ pattern: Pattern, with replacement: String, in text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var (from, copied) = (0, 0)
        while from <= bytes.count, let groups = pattern.firstMatch(in: bytes.span, from: from), let whole = groups[0] {
            result += bytes[copied..<whole.lowerBound]
            result += expand(Array(replacement.utf8), groups, pattern.groupNames, bytes)
            copied = whole.upperBound
            from = whole.isEmpty ? whole.upperBound + 1 : whole.upperBound
        }
        return String(decoding: result + bytes[min(copied, bytes.count)...], as: UTF8.self)
    }

    private static func expand(_ template: [UInt8], _ groups: [Range<Int>?], _ names: [String?], _ bytes: [UInt8])
        -> [UInt8]
    {
        var result: [UInt8] = []
        var index = 0
        while index < template.count {
            guard template[index] == UInt8(ascii: "$"), index + 1 < template.count else {
                result.append(template[index])
                index += 1
                continue
            }
            let isBraced = template[index + 1] == UInt8(ascii: "{")
            let start = index + (isBraced ? 2 : 1)
            let name = template[start...].prefix {
                $0 == UInt8(ascii: "_") || Character(Unicode.Scalar($0)).isLetter
                    || Character(Unicode.Scalar($0)).isNumber
            }
            let isClosed = !isBraced || (name.endIndex < template.count && template[name.endIndex] == UInt8(ascii: "}"))
            guard !name.isEmpty, isClosed else {
                if template[index + 1] == UInt8(ascii: "$") { index += 1 }
                result.append(UInt8(ascii: "$"))
                index += 1
                continue
            }
            let text = String(decoding: name, as: UTF8.self)
            let group = Int(text) ?? names.firstIndex(of: text).map { $0 + 1 }
            if let group, groups.indices.contains(group), let range = groups[group] { result += bytes[range] }
            index = name.endIndex + (isBraced ? 1 : 0)
        }
        return result
    }

    // MARK: Numbers

    private static let numberNames: Set<String> = [
        "humanize", "humanize1024", "humanizeDuration", "humanizePercentage", "humanizeTimestamp", "toTime",
        "toDuration", "parseDuration",
    ]

    private static func callNumber(_ name: String, _ arguments: [TemplateValue]) throws -> TemplateValue {
        guard arguments.count == 1 else {
            throw Failure("wrong number of args for \(name): want 1 got \(arguments.count)")
        }
        if name == "parseDuration" {
            let text = try string(arguments, 0, of: 1)
            guard let duration = DurationText.parse(text) else {
                throw Failure("not a valid duration string: \(text.quoted)")
            }
            return .double(duration.seconds)
        }
        let value = try number(arguments[0])
        switch name {
        case "humanize": return .string(Humanize.decimal(value))
        case "humanize1024": return .string(Humanize.base1024(value))
        case "humanizeDuration": return .string(Humanize.duration(value))
        case "humanizePercentage": return .string(Humanize.percentage(value))
        case "toDuration":
            guard abs(value) < 9e9 else { throw Failure("\(GoFormat.shortest(value)) is no duration") }
            return .duration(Int64(value * 1e9))
        default:
            guard value.isFinite, abs(value) < 9e12 else {
                if name == "humanizeTimestamp" { return .string(GoFormat.fourDigits(value)) }
                throw Failure("\(GoFormat.shortest(value)) cannot be represented as a time")
            }
            let time = TemplateValue.time(Int64((value * 1_000).rounded()))
            return name == "toTime" ? time : .string(time.text)
        }
    }

    // MARK: Arguments

    static func string(_ arguments: [TemplateValue], _ index: Int, of count: Int) throws -> String {
        guard arguments.count == count else {
            throw Failure("wrong number of args: want \(count) got \(arguments.count)")
        }
        switch arguments[index] {
        case .string(let text): return text
        default: throw Failure("wrong type for value; expected string; got \(arguments[index].kind)")
        }
    }

    /// As Prometheus converts what it humanizes: numbers, and strings that hold one.
    static func number(_ value: TemplateValue) throws -> Double {
        switch value {
        case .double(let value): return value
        case .int(let value): return Double(value)
        case .duration(let nanoseconds): return Double(nanoseconds) / 1e9
        case .time(let milliseconds): return Double(milliseconds) / 1_000
        case .string(let text):
            guard let value = Double(text) else {
                throw Failure("strconv.ParseFloat: parsing \(text.quoted): invalid syntax")
            }
            return value
        default: throw Failure("can't convert \(value.kind) to float")
        }
    }

    private static func path(of url: String) -> String {
        let rest = url.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
        return rest.firstIndex(of: "/").map { String(rest[$0...]) } ?? ""
    }

    static func urlQuery(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let character = Character(Unicode.Scalar(byte))
            if byte < 128, character.isLetter || character.isNumber || "-_.~".contains(character) {
                result.append(character)
            } else if byte == UInt8(ascii: " ") {
                result += "+"
            } else {
                let hex = String(byte, radix: 16, uppercase: true)
                result += "%" + (hex.count == 1 ? "0" : "") + hex
            }
        }
        return result
    }

    static func html(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "'": result += "&#39;"
            case "\"": result += "&#34;"
            default: result.append(character)
            }
        }
        return result
    }
}

extension Swift.Substring {
    /// `[::1]` without its brackets.
    fileprivate var trimmingBrackets: String { filter { $0 != "[" && $0 != "]" } }
}
