import Patterns

/// Texts into which the groups of a match are put: `${1}`, `$1`, `$name`, `$$` (Go, `regexp.Expand`).
enum ProbeTemplate {
    static func expand(_ template: String, _ text: String, _ pattern: Pattern, _ groups: [Range<Int>?]) -> String {
        guard template.utf8.contains(UInt8(ascii: "$")) else { return template }
        let bytes = Array(text.utf8)
        var result = ""
        var rest = Swift.Substring(template)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
                continue
            }
            let isBraced = rest.first == "{"
            let name = (isBraced ? rest.dropFirst() : rest).prefix { $0 == "_" || $0.isLetter || $0.isNumber }
            let end = (isBraced ? rest.dropFirst() : rest).dropFirst(name.count)
            guard !name.isEmpty, !isBraced || end.first == "}" else {
                result += "$"
                continue
            }
            rest = isBraced ? end.dropFirst() : end
            let group = Int(name) ?? pattern.groupNames.firstIndex(of: String(name)).map { $0 + 1 }
            if let group, groups.indices.contains(group), let range = groups[group] {
                result += String(decoding: bytes[range], as: UTF8.self)
            }
        }
        return result + rest
    }
}
