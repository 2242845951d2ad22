import Patterns

/// The `regexp` stage: named groups become labels.
struct RegexpParser {
    struct Fault: Error {
        var description: String
    }

    private let pattern: Pattern
    private let names: [(group: Int, label: String)]

    init(_ text: String) throws(Fault) {
        do {
            pattern = try Pattern(text)
        } catch {
            throw Fault(description: error.description)
        }
        var names: [(Int, String)] = []
        for (index, name) in pattern.groupNames.enumerated() {
            guard let name else { continue }
            guard !names.contains(where: { $0.1 == name }) else { throw Fault(description: "duplicate extracted label name '\(name)'") }
            names.append((index + 1, name))
        }
        guard !names.isEmpty else { throw Fault(description: "at least one named capture must be supplied") }
        self.names = names
    }

    func run(_ line: ArraySlice<UInt8>, _ labels: inout RowLabels) {
        guard let ranges = pattern.firstMatch(in: line.span) else { return }
        for (group, label) in names {
            var text = ""
            if let range = ranges[group] {
                text = String(decoding: line[line.startIndex + range.lowerBound..<line.startIndex + range.upperBound], as: UTF8.self)
            }
            labels.setParsed(labels.parsedName(label), text)
        }
    }
}
