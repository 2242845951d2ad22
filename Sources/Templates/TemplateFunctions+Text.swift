import Foundation
package import Patterns

extension TemplateFunctions {
    static let text: [String: Entry] = strings.mapValues { entry in
        var entry = entry
        entry.needsText = true
        return entry
    }

    private static let strings: [String: Entry] = [
        "lower": one { $0.lowercased() }, "ToLower": one { $0.lowercased() },
        "upper": one { $0.uppercased() }, "ToUpper": one { $0.uppercased() },
        "title": one { title($0) },
        "trim": one { trimmed($0, both: " \t\n\r\u{b}\u{c}") }, "TrimSpace": one { trimmed($0, both: " \t\n\r\u{b}\u{c}") },
        // Go's own take the text first, Sprig's take it last.
        "Trim": two { trimmed($0, both: $1) }, "trimAll": two { trimmed($1, both: $0) },
        "TrimLeft": two { trimmed($0, left: $1) }, "TrimRight": two { trimmed($0, right: $1) },
        "TrimPrefix": two { $0.hasPrefix($1) ? String($0.dropFirst($1.count)) : $0 },
        "trimPrefix": two { $1.hasPrefix($0) ? String($1.dropFirst($0.count)) : $1 },
        "TrimSuffix": two { $0.hasSuffix($1) ? String($0.dropLast($1.count)) : $0 },
        "trimSuffix": two { $1.hasSuffix($0) ? String($1.dropLast($0.count)) : $1 },
        "contains": Entry(2) { arguments, _ in .bool(Patterns.Substring(arguments[0].text).isContained(in: arguments[1].text)) },
        "hasPrefix": Entry(2) { arguments, _ in .bool(arguments[1].text.hasPrefix(arguments[0].text)) },
        "hasSuffix": Entry(2) { arguments, _ in .bool(arguments[1].text.hasSuffix(arguments[0].text)) },
        "replace": Entry(3) { arguments, _ in
            .string(replaced(arguments[2].text, arguments[0].text, arguments[1].text, countMax: .max))
        },
        "Replace": Entry(4) { arguments, _ in
            let count = arguments[3].int
            return .string(replaced(arguments[0].text, arguments[1].text, arguments[2].text, countMax: count < 0 ? .max : Int(count)))
        },
        "repeat": Entry(2) { arguments, _ throws(Template.Fault) in
            let count = Int(max(0, min(arguments[0].int, 100_000)))
            guard count * arguments[1].text.utf8.count <= 1 << 20 else {
                throw Template.Fault(description: "repeat: the result is too long")
            }
            return .string(String(repeating: arguments[1].text, count: count))
        },
        "trunc": Entry(2) { arguments, _ in
            let (count, text) = (Int(clamping: arguments[0].int), arguments[1].text)
            return .string(String(count < 0 ? text.suffix(-max(count, -Int.max)) : text.prefix(count)))
        },
        "substr": Entry(3) { arguments, _ in
            let text = Array(arguments[2].text)
            let start = max(0, Int(clamping: arguments[0].int))
            let end = Int(clamping: arguments[1].int)
            let limit = end < 0 || end > text.count ? text.count : end
            return .string(start < limit ? String(text[start..<limit]) : "")
        },
        "alignLeft": Entry(2) { arguments, _ in .string(aligned(arguments, isLeft: true)) },
        "alignRight": Entry(2) { arguments, _ in .string(aligned(arguments, isLeft: false)) },
        "indent": Entry(2) { arguments, _ in .string(indented(arguments[1].text, arguments[0].int)) },
        "nindent": Entry(2) { arguments, _ in .string("\n" + indented(arguments[1].text, arguments[0].int)) },
        "count": Entry(2) { arguments, _ throws(Template.Fault) in
            let pattern = try pattern(arguments[0].text)
            var (count, position) = (Int64(0), 0)
            let text = arguments[1].text
            while let match = pattern.firstMatch(in: text, from: position)?[0] {
                count += 1
                position = max(match.upperBound, match.lowerBound + 1)
            }
            return .int(count)
        },
        "regexReplaceAll": Entry(3) { arguments, _ throws(Template.Fault) in
            .string(Replacement.all(try pattern(arguments[0].text), in: arguments[1].text, with: arguments[2].text))
        },
        "regexReplaceAllLiteral": Entry(3) { arguments, _ throws(Template.Fault) in
            let literal = arguments[2].text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
            return .string(Replacement.all(try pattern(arguments[0].text), in: arguments[1].text, with: literal))
        },
        "b64enc": one { Data($0.utf8).base64EncodedString() },
        "b64dec": one { Data(base64Encoded: $0).map { String(decoding: $0, as: UTF8.self) } ?? "" },
        "urlencode": one { urlEncoded($0) },
        "urldecode": one { urlDecoded($0) },
        "quote": one { $0.debugDescription },
        "html": one {
            replaced(replaced(replaced($0, "&", "&amp;", countMax: .max), "<", "&lt;", countMax: .max), ">", "&gt;", countMax: .max)
        },
    ]

    static func one(_ body: @escaping @Sendable (String) -> String) -> Entry {
        Entry(1) { arguments, _ in .string(body(arguments[0].text)) }
    }

    static func two(_ body: @escaping @Sendable (String, String) -> String) -> Entry {
        Entry(2) { arguments, _ in .string(body(arguments[0].text, arguments[1].text)) }
    }

    static func pattern(_ text: String) throws(Template.Fault) -> Pattern {
        do { return try Pattern(text) } catch { throw Template.Fault(description: error.description) }
    }

    static func title(_ text: String) -> String {
        var isStart = true
        return String(
            text.flatMap { character -> String in
                defer { isStart = !(character.isLetter || character.isNumber || character == "_" || character == "'") }
                return isStart ? character.uppercased() : String(character)
            })
    }

    private static func trimmed(_ text: String, both set: String) -> String { trimmed(trimmed(text, left: set), right: set) }

    private static func trimmed(_ text: String, left set: String) -> String { String(text.drop { set.contains($0) }) }

    private static func trimmed(_ text: String, right set: String) -> String {
        var text = text
        while let last = text.last, set.contains(last) { text.removeLast() }
        return text
    }

    static func replaced(_ text: String, _ old: String, _ new: String, countMax: Int) -> String {
        guard !old.isEmpty else { return text }
        let bytes = Array(text.utf8)
        let search = Patterns.Substring(old)
        var (result, position, count): ([UInt8], Int, Int) = ([], 0, 0)
        while count < countMax, let found = search.firstOffset(in: bytes.span, from: position) {
            result += bytes[position..<found]
            result += Array(new.utf8)
            position = found + search.needle.count
            count += 1
        }
        return String(decoding: result + bytes[position...], as: UTF8.self)
    }

    private static func aligned(_ arguments: [TemplateValue], isLeft: Bool) -> String {
        let width = Int(max(0, min(arguments[0].int, 10_000)))
        let text = arguments[1].text
        if text.count >= width { return String(isLeft ? text.prefix(width) : text.suffix(width)) }
        let blanks = String(repeating: " ", count: width - text.count)
        return isLeft ? text + blanks : blanks + text
    }

    private static func indented(_ text: String, _ count: Int64) -> String {
        let blanks = String(repeating: " ", count: Int(max(0, min(count, 1_000))))
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { blanks + $0 }.joined(separator: "\n")
    }

    private static func urlEncoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: result.append(Character(Unicode.Scalar(byte)))
            case 0x20: result += "+"
            default:
                let hexadecimal = String(byte, radix: 16, uppercase: true)
                result += "%" + (hexadecimal.count == 1 ? "0" : "") + hexadecimal
            }
        }
        return result
    }

    private static func urlDecoded(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var (result, index): ([UInt8], Int) = ([], 0)
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
                let byte = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                result.append(byte)
                index += 3
            } else {
                result.append(bytes[index] == UInt8(ascii: "+") ? 0x20 : bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

/// Replacements in Go's notation: `$1`, `${name}`, `$$`.
package enum Replacement {
    /// `text` with every match replaced.
    package static func all(_ pattern: Pattern, in text: String, with replacement: String) -> String {
        let bytes = Array(text.utf8)
        let template = GroupTemplate(replacement)
        var (result, position): ([UInt8], Int) = ([], 0)
        while position <= bytes.count, let ranges = pattern.firstMatch(in: bytes.span, from: position), let match = ranges[0] {
            result += bytes[position..<match.lowerBound]
            result += Array(template.expand(bytes, ranges, pattern.groupNames).utf8)
            position = match.upperBound
            if match.isEmpty {
                if position < bytes.count { result.append(bytes[position]) }
                position += 1
            }
        }
        if position < bytes.count { result += bytes[position...] }
        return String(decoding: result, as: UTF8.self)
    }

    /// The replacement with the groups of one match put in.
    package static func expand(_ replacement: String, _ bytes: [UInt8], _ ranges: [Range<Int>?], _ names: [String?]) -> String {
        GroupTemplate(replacement).expand(bytes, ranges, names)
    }
}
