extension TemplateFunctions {
    /// Sprig's lists and dictionaries (masterminds.github.io/sprig, "List Functions", "Dictionaries").
    static let sprigLists: [String: Entry] = [
        "list": Entry(0...1_000) { arguments, _ in .list(arguments) },
        "tuple": Entry(0...1_000) { arguments, _ in .list(arguments) },
        "first": Entry(1) { arguments, _ in list(arguments[0]).first ?? .none },
        "last": Entry(1) { arguments, _ in list(arguments[0]).last ?? .none },
        "rest": Entry(1) { arguments, _ in .list(Array(list(arguments[0]).dropFirst())) },
        "initial": Entry(1) { arguments, _ in .list(Array(list(arguments[0]).dropLast())) },
        "append": Entry(2) { arguments, _ in .list(list(arguments[0]) + [arguments[1]]) },
        "prepend": Entry(2) { arguments, _ in .list([arguments[1]] + list(arguments[0])) },
        "concat": Entry(0...100) { arguments, _ in .list(arguments.flatMap { list($0) }) },
        "reverse": Entry(1) { arguments, _ in .list(list(arguments[0]).reversed()) },
        "uniq": Entry(1) { arguments, _ in
            var seen: Set<TemplateValue> = []
            return .list(list(arguments[0]).filter { seen.insert($0).inserted })
        },
        "compact": Entry(1) { arguments, _ in .list(list(arguments[0]).filter(\.isTrue)) },
        "without": Entry(1...100) { arguments, _ in .list(list(arguments[0]).filter { !arguments.dropFirst().contains($0) }) },
        "has": Entry(2) { arguments, _ in .bool(list(arguments[1]).contains(arguments[0])) },
        "slice": Entry(1...3) { arguments, _ in
            let values = list(arguments[0])
            let start = min(max(0, arguments.count > 1 ? Int(clamping: arguments[1].int) : 0), values.count)
            let end = min(max(start, arguments.count > 2 ? Int(clamping: arguments[2].int) : values.count), values.count)
            return .list(Array(values[start..<end]))
        },
        "sortAlpha": Entry(1) { arguments, _ in
            let sorted = list(arguments[0]).map(\.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            return .list(sorted.map { .string($0) })
        },
        "toStrings": Entry(1) { arguments, _ in .list(list(arguments[0]).map { .string($0.text) }) },
        "until": Entry(1) { arguments, _ in .list((0..<max(0, min(arguments[0].int, 10_000))).map { .int($0) }) },
        "dict": Entry(0...200) { arguments, _ in
            var values: [String: TemplateValue] = [:]
            for index in stride(from: 0, to: arguments.count, by: 2) {
                values[arguments[index].text] = index + 1 < arguments.count ? arguments[index + 1] : .string("")
            }
            return .map(values)
        },
        "get": Entry(2) { arguments, _ in map(arguments[0])[arguments[1].text] ?? .string("") },
        "set": Entry(3) { arguments, _ in .map(map(arguments[0]).merging([arguments[1].text: arguments[2]]) { $1 }) },
        "unset": Entry(2) { arguments, _ in .map(map(arguments[0]).filter { $0.key != arguments[1].text }) },
        "hasKey": Entry(2) { arguments, _ in .bool(map(arguments[0])[arguments[1].text] != nil) },
        "keys": Entry(1...100) { arguments, _ in .list(arguments.flatMap { map($0).keys.sorted().map { .string($0) } }) },
        "values": Entry(1) { arguments, _ in .list(map(arguments[0]).sorted { $0.key < $1.key }.map(\.value)) },
        "pick": Entry(1...100) { arguments, _ in
            let names = Set(arguments.dropFirst().map(\.text))
            return .map(map(arguments[0]).filter { names.contains($0.key) })
        },
        "omit": Entry(1...100) { arguments, _ in
            let names = Set(arguments.dropFirst().map(\.text))
            return .map(map(arguments[0]).filter { !names.contains($0.key) })
        },
        "merge": Entry(1...100) { arguments, _ in .map(arguments.reduce(into: [:]) { $0.merge(map($1)) { first, _ in first } }) },
    ]

    private static func list(_ value: TemplateValue) -> [TemplateValue] {
        if case .list(let values) = value { values } else { [] }
    }

    private static func map(_ value: TemplateValue) -> [String: TemplateValue] {
        if case .map(let values) = value { values } else { [:] }
    }
}
