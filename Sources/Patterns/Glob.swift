/// A shell pattern over a path: `*` and `?` stay within one part between slashes, `**` as a whole part crosses them, `[a-z]` and
/// `[!a-z]` name characters, `{a,b}` alternatives, `\` takes the next character as it is.
package struct Glob: Sendable, Hashable {
    package struct SyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
        package var pattern: String
        package var message: String

        package var description: String { "glob \(pattern): \(message)" }
    }

    package let text: String
    /// The parts between slashes of each alternative.
    private let alternatives: [[Part]]

    private enum Part: Sendable, Hashable {
        /// `**`: any number of parts, none included.
        case anyParts
        case name([Element])
    }

    private enum Element: Sendable, Hashable {
        case character(Unicode.Scalar)
        case any
        case anyRun
        case oneOf([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    }

    /// More alternatives than that are a mistake, or an attack.
    private static let alternativeCountMax = 1_000

    package init(_ text: String) throws(SyntaxError) {
        self.text = text
        var alternatives: [[Part]] = []
        for expanded in try Self.expandBraces(Array(text.unicodeScalars), pattern: text) {
            var parts: [Part] = []
            for part in expanded.split(separator: "/", omittingEmptySubsequences: false) {
                parts.append(part.elementsEqual("**".unicodeScalars) ? .anyParts : .name(try Self.elements(Array(part), pattern: text)))
            }
            alternatives.append(parts)
        }
        self.alternatives = alternatives
    }

    /// Whether it names more than one path.
    package var isPattern: Bool {
        text.unicodeScalars.contains { "*?[{".unicodeScalars.contains($0) }
    }

    /// The folder below which every match lies: the parts before the first pattern.
    package var fixedFolder: String {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let fixed = parts.prefix { part in !part.unicodeScalars.contains { "*?[{\\".unicodeScalars.contains($0) } }
        let folder = (fixed.count == parts.count ? fixed.dropLast() : fixed).joined(separator: "/")
        return folder.isEmpty && text.hasPrefix("/") ? "/" : folder
    }

    package func matches(_ path: String) -> Bool {
        let parts = path.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false).map { Array($0) }
        return alternatives.contains { Self.match($0[...], parts[...]) }
    }

    private static func match(_ pattern: ArraySlice<Part>, _ parts: ArraySlice<[Unicode.Scalar]>) -> Bool {
        // Greedy with one place to fall back to: linear in the product, never exponential.
        var (patternIndex, partIndex) = (pattern.startIndex, parts.startIndex)
        var retry: (pattern: Int, part: Int)?
        while partIndex < parts.endIndex {
            if patternIndex < pattern.endIndex {
                switch pattern[patternIndex] {
                case .anyParts:
                    retry = (patternIndex, partIndex)
                    patternIndex += 1
                    continue
                case .name(let elements) where match(elements, parts[partIndex]):
                    patternIndex += 1
                    partIndex += 1
                    continue
                case .name: break
                }
            }
            guard let (pattern, part) = retry else { return false }
            retry = (pattern, part + 1)
            patternIndex = pattern + 1
            partIndex = part + 1
        }
        return pattern[patternIndex...].allSatisfy { $0 == .anyParts }
    }

    private static func match(_ elements: [Element], _ name: [Unicode.Scalar]) -> Bool {
        var (elementIndex, index) = (0, 0)
        var retry: (element: Int, index: Int)?
        while index < name.count {
            if elementIndex < elements.count {
                let isMatch: Bool
                switch elements[elementIndex] {
                case .anyRun:
                    retry = (elementIndex, index)
                    elementIndex += 1
                    continue
                case .any: isMatch = true
                case .character(let character): isMatch = name[index] == character
                case .oneOf(let ranges, let isNegated): isMatch = ranges.contains { $0.contains(name[index]) } != isNegated
                }
                if isMatch {
                    elementIndex += 1
                    index += 1
                    continue
                }
            }
            guard let (element, start) = retry else { return false }
            retry = (element, start + 1)
            elementIndex = element + 1
            index = start + 1
        }
        return elements[elementIndex...].allSatisfy { $0 == .anyRun }
    }

    private static func elements(_ part: [Unicode.Scalar], pattern: String) throws(SyntaxError) -> [Element] {
        var elements: [Element] = []
        var index = 0
        while index < part.count {
            switch part[index] {
            case "*": if elements.last != .anyRun { elements.append(.anyRun) }
            case "?": elements.append(.any)
            case "[": elements.append(try set(part, &index, pattern: pattern))
            case "\\":
                guard index + 1 < part.count else { throw SyntaxError(pattern: pattern, message: "nothing follows the last \\") }
                index += 1
                elements.append(.character(part[index]))
            default: elements.append(.character(part[index]))
            }
            index += 1
        }
        return elements
    }

    /// Reads `[…]` from its opening bracket; `index` ends on the closing one.
    private static func set(_ part: [Unicode.Scalar], _ index: inout Int, pattern: String) throws(SyntaxError) -> Element {
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        var position = index + 1
        var isNegated = false
        if position < part.count, part[position] == "!" || part[position] == "^" {
            isNegated = true
            position += 1
        }
        while position < part.count {
            // A bracket that comes first is meant as a character.
            if part[position] == "]", !ranges.isEmpty {
                index = position
                return .oneOf(ranges, isNegated: isNegated)
            }
            let low = part[position]
            if position + 2 < part.count, part[position + 1] == "-", part[position + 2] != "]" {
                guard low <= part[position + 2] else { throw SyntaxError(pattern: pattern, message: "a range in [] runs backwards") }
                ranges.append(low...part[position + 2])
                position += 3
            } else {
                ranges.append(low...low)
                position += 1
            }
        }
        throw SyntaxError(pattern: pattern, message: "a [ is not closed")
    }

    private static func expandBraces(_ text: [Unicode.Scalar], pattern: String) throws(SyntaxError) -> [[Unicode.Scalar]] {
        var done: [[Unicode.Scalar]] = []
        var waiting = [text]
        while let next = waiting.popLast() {
            guard let open = firstBrace(next) else {
                done.append(next)
                continue
            }
            var depth = 0
            var starts = [open + 1]
            var close: Int?
            for index in open..<next.count {
                if next[index] == "{" { depth += 1 }
                if next[index] == ",", depth == 1 { starts.append(index + 1) }
                if next[index] == "}" {
                    depth -= 1
                    if depth == 0 {
                        close = index
                        break
                    }
                }
            }
            guard let close else { throw SyntaxError(pattern: pattern, message: "a { is not closed") }
            for (number, start) in starts.enumerated().reversed() {
                let end = number + 1 < starts.count ? starts[number + 1] - 1 : close
                waiting.append(Array(next[..<open]) + next[start..<end] + next[(close + 1)...])
            }
            guard waiting.count + done.count <= alternativeCountMax else {
                throw SyntaxError(pattern: pattern, message: "it has more than \(alternativeCountMax) alternatives")
            }
        }
        return done
    }

    private static func firstBrace(_ text: [Unicode.Scalar]) -> Int? {
        var index = 0
        while index < text.count {
            if text[index] == "\\" {
                index += 1
            } else if text[index] == "{" {
                return index
            }
            index += 1
        }
        return nil
    }
}
