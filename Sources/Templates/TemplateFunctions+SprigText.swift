import Foundation
import Patterns

extension TemplateFunctions {
    /// Sprig's functions of text that Loki lacks (masterminds.github.io/sprig, "String Functions", "Regular Expressions").
    static let sprigText: [String: Entry] = [
        "untitle": one { capitalized($0) { $0.lowercased() } },
        "nospace": one { String($0.filter { !$0.isWhitespace }) },
        "initials": one { String($0.split(whereSeparator: \.isWhitespace).compactMap(\.first)) },
        "swapcase": one { String($0.map { $0.isUppercase ? Character($0.lowercased()) : Character($0.uppercased().prefix(1).description) }) },
        "snakecase": one { words($0).joined(separator: "_") },
        "kebabcase": one { words($0).joined(separator: "-") },
        "camelcase": one { words($0).map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() },
        "trimall": two { trimmed($1, characters: $0) },
        "abbrev": Entry(2) { arguments, _ in
            let (width, text) = (Int(clamping: arguments[0].int), arguments[1].text)
            return .string(width < 4 || text.count <= width ? text : text.prefix(width - 3) + "...")
        },
        "squote": Entry(0...100) { arguments, _ in
            .string(arguments.filter { $0 != .none }.map { "'\($0.text)'" }.joined(separator: " "))
        },
        "quote": Entry(0...100) { arguments, _ in
            .string(arguments.filter { $0 != .none }.map { $0.text.debugDescription }.joined(separator: " "))
        },
        "cat": Entry(0...100) { arguments, _ in
            .string(arguments.filter { $0 != .none }.map(\.text).joined(separator: " "))
        },
        "plural": Entry(3) { arguments, _ in arguments[2].int == 1 ? arguments[0] : arguments[1] },
        "toString": Entry(1) { arguments, _ in .string(arguments[0].text) },
        "join": Entry(2) { arguments, _ in
            guard case .list(let values) = arguments[1] else { return .string(arguments[1].text) }
            return .string(values.map(\.text).joined(separator: arguments[0].text))
        },
        "split": Entry(2) { arguments, _ in
            let parts = parts(arguments[1].text, arguments[0].text)
            return .map(Dictionary(parts.enumerated().map { ("_\($0.offset)", .string($0.element)) }) { $1 })
        },
        "splitList": Entry(2) { arguments, _ in .list(parts(arguments[1].text, arguments[0].text).map { .string($0) }) },
        "splitn": Entry(3) { arguments, _ in
            let all = parts(arguments[2].text, arguments[0].text)
            let count = max(1, Int(clamping: arguments[1].int))
            var kept = Array(all.prefix(count))
            if all.count > count { kept[count - 1] = all[(count - 1)...].joined(separator: arguments[0].text) }
            return .map(Dictionary(kept.enumerated().map { ("_\($0.offset)", .string($0.element)) }) { $1 })
        },
        "regexMatch": Entry(2) { arguments, _ throws(Template.Fault) in
            .bool(try pattern(arguments[0].text).matchesPart(arguments[1].text))
        },
        "regexFind": Entry(2) { arguments, _ throws(Template.Fault) in
            .string(matches(try pattern(arguments[0].text), arguments[1].text, countMax: 1).first ?? "")
        },
        "regexFindAll": Entry(3) { arguments, _ throws(Template.Fault) in
            let count = arguments[2].int
            let found = matches(try pattern(arguments[0].text), arguments[1].text, countMax: count < 0 ? .max : Int(clamping: count))
            return .list(found.map { .string($0) })
        },
        "regexSplit": Entry(3) { arguments, _ throws(Template.Fault) in
            let pattern = try pattern(arguments[0].text)
            let bytes = Array(arguments[1].text.utf8)
            let count = arguments[2].int < 0 ? Int.max : Int(clamping: arguments[2].int)
            var (result, start, position): ([TemplateValue], Int, Int) = ([], 0, 0)
            while result.count + 1 < count, position <= bytes.count, let match = pattern.firstMatch(in: bytes.span, from: position)?[0] {
                position = max(match.upperBound, match.lowerBound + 1)
                if match.isEmpty, match.lowerBound == start { continue }
                result.append(.string(String(decoding: bytes[start..<match.lowerBound], as: UTF8.self)))
                start = match.upperBound
            }
            if count > 0 { result.append(.string(String(decoding: bytes[start...], as: UTF8.self))) }
            return .list(result)
        },
        "regexQuoteMeta": one { quoteMeta($0) },
    ]

    private static func capitalized(_ text: String, _ change: (Character) -> String) -> String {
        var isStart = true
        return text.reduce(into: "") { result, character in
            result += isStart ? change(character) : String(character)
            isStart = character.isWhitespace
        }
    }

    /// The words of a name in any of the usual spellings, in lower case.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var previous: Character?
        for character in text {
            let starts = character.isUppercase && previous.map { !$0.isUppercase } ?? false
            let separates = !(character.isLetter || character.isNumber)
            if (starts || separates), !word.isEmpty {
                words.append(word)
                word = ""
            }
            if !separates { word += character.lowercased() }
            previous = character
        }
        if !word.isEmpty { words.append(word) }
        return words
    }

    private static func trimmed(_ text: String, characters: String) -> String {
        var rest = text.drop { characters.contains($0) }
        while let last = rest.last, characters.contains(last) { rest.removeLast() }
        return String(rest)
    }

    private static func parts(_ text: String, _ separator: String) -> [String] {
        separator.isEmpty ? text.map { String($0) } : text.components(separatedBy: separator)
    }

    private static func matches(_ pattern: Pattern, _ text: String, countMax: Int) -> [String] {
        let bytes = Array(text.utf8)
        var (found, position): ([String], Int) = ([], 0)
        while found.count < countMax, position <= bytes.count, let match = pattern.firstMatch(in: bytes.span, from: position)?[0] {
            found.append(String(decoding: bytes[match], as: UTF8.self))
            position = max(match.upperBound, match.lowerBound + 1)
        }
        return found
    }

    private static func quoteMeta(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            if "\\.+*?()|[]{}^$".contains(character) { result += "\\" }
            result.append(character)
        }
    }
}
