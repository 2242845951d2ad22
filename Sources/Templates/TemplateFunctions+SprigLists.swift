extension TemplateFunctions {
    /// Sprig's lists and dictionaries (masterminds.github.io/sprig, "List Functions", "Dictionaries").
    static let sprigLists: [String: Entry] = lists.merging(dictionaries) { $1 }

    private static let lists: [String: Entry] = [
        "list": Entry(0...1_000) { arguments, _ in .list(arguments) },
        "tuple": Entry(0...1_000) { arguments, _ in .list(arguments) },
        "until": Entry(1) { arguments, _ in .list((0..<max(0, min(arguments[0].int, 10_000))).map { .int($0) }) },
        "first": onList(1...1) { values, _ in values.first ?? .none },
        "last": onList(1...1) { values, _ in values.last ?? .none },
        "rest": onList(1...1) { values, _ in .list(Array(values.dropFirst())) },
        "initial": onList(1...1) { values, _ in .list(Array(values.dropLast())) },
        "append": onList(2...2) { values, arguments in .list(values + [arguments[1]]) },
        "prepend": onList(2...2) { values, arguments in .list([arguments[1]] + values) },
        "concat": Entry(0...100) { arguments, _ throws(Template.Fault) in
            var result: [TemplateValue] = []
            for argument in arguments { result += try list(argument) }
            return .list(result)
        },
        "reverse": onList(1...1) { values, _ in .list(values.reversed()) },
        "uniq": onList(1...1) { values, _ in
            var seen: Set<TemplateValue> = []
            return .list(values.filter { seen.insert($0).inserted })
        },
        "compact": onList(1...1) { values, _ in .list(values.filter(\.isTrue)) },
        "without": onList(1...100) { values, arguments in .list(values.filter { !arguments.dropFirst().contains($0) }) },
        "has": onList(2...2, at: 1) { values, arguments in .bool(values.contains(arguments[0])) },
        "slice": onList(1...3) { values, arguments in
            let start = min(max(0, arguments.count > 1 ? Int(clamping: arguments[1].int) : 0), values.count)
            let end = min(max(start, arguments.count > 2 ? Int(clamping: arguments[2].int) : values.count), values.count)
            return .list(Array(values[start..<end]))
        },
        "sortAlpha": onList(1...1) { values, _ in
            let sorted = values.map(\.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            return .list(sorted.map { .string($0) })
        },
        "toStrings": onList(1...1) { values, _ in .list(values.map { .string($0.text) }) },
    ]

    private static let dictionaries: [String: Entry] = [
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
        "merge": Entry(1...100) { arguments, _ in
            var result: [String: TemplateValue] = [:]
            for argument in arguments { result.merge(map(argument)) { first, _ in first } }
            return .map(result)
        },
    ]

    /// A function of which one argument must be a list.
    private static func onList(
        _ count: ClosedRange<Int>, at index: Int = 0, _ body: @escaping @Sendable ([TemplateValue], [TemplateValue]) -> TemplateValue
    ) -> Entry {
        Entry(count) { arguments, _ throws(Template.Fault) in body(try list(arguments[index]), arguments) }
    }

    private static func list(_ value: TemplateValue) throws(Template.Fault) -> [TemplateValue] {
        guard case .list(let values) = value else { throw Template.Fault(description: "\(value.text.debugDescription) is no list") }
        return values
    }

    private static func map(_ value: TemplateValue) -> [String: TemplateValue] {
        if case .map(let values) = value { values } else { [:] }
    }
}
