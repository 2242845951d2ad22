/// A text into which the groups of a match are put: `$1`, `${1}`, `$name`, `${name}` and `$$` (Go, `Regexp.Expand`).
package struct GroupTemplate: Sendable {
    private enum Part: Sendable {
        case text([UInt8])
        case group(String)
    }

    private var parts: [Part] = []

    package init(_ template: String) {
        var rest = template[...]
        var plain = ""
        func isNamePart(_ character: Character) -> Bool { character.isLetter || character.isNumber || character == "_" }
        while let dollar = rest.firstIndex(of: "$") {
            plain += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                plain += "$"
                rest = rest.dropFirst()
                continue
            }
            let isBraced = rest.first == "{"
            let name = (isBraced ? rest.dropFirst() : rest).prefix(while: isNamePart)
            let after = rest.dropFirst(name.count + (isBraced ? 1 : 0))
            guard !name.isEmpty, !isBraced || after.first == "}" else {
                // Malformed: Go leaves the dollar sign as it is.
                plain += "$"
                continue
            }
            parts += [.text(Array(plain.utf8)), .group(String(name))]
            plain = ""
            rest = isBraced ? after.dropFirst() : after
        }
        parts.append(.text(Array((plain + rest).utf8)))
    }

    /// The text with the groups of a match filled in; a group that is not there is empty.
    ///
    /// - Parameters:
    ///   - match: the ranges of the whole match and of its groups in `bytes`.
    ///   - names: those of the groups, from group 1.
    package func expand(_ bytes: [UInt8], _ match: [Range<Int>?], _ names: [String?]) -> String {
        var result: [UInt8] = []
        for part in parts {
            switch part {
            case .text(let plain): result += plain
            case .group(let name):
                let index = Int(name) ?? names.firstIndex(of: name).map { $0 + 1 }
                guard let index, match.indices.contains(index), let range = match[index] else { continue }
                result += bytes[range]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The same of a text.
    package func expand(_ text: String, _ match: [Range<Int>?], _ names: [String?]) -> String {
        expand(Array(text.utf8), match, names)
    }
}
