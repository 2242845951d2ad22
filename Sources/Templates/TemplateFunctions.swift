import Telemetry

/// Which functions a template may call.
package enum TemplateFunctionSet: Sendable, Hashable {
    /// LogQL's: Go's own, and those that Loki adds.
    case loki
    /// Promtail's: Loki's and more of Sprig's.
    case promtail
}

/// The functions of templates: Go's own, and those that Loki and Promtail add.
enum TemplateFunctions {
    typealias Function = @Sendable ([TemplateValue], any TemplateData) throws(Template.Fault) -> TemplateValue

    /// How many arguments each takes, and what it does.
    struct Entry: Sendable {
        var arguments: ClosedRange<Int>
        var call: Function
        /// Its arguments are strings: what is not there is an error, as in Go.
        var needsText = false

        init(_ arguments: ClosedRange<Int>, _ call: @escaping Function) {
            self.arguments = arguments
            self.call = call
        }

        init(_ count: Int, _ call: @escaping Function) {
            self.init(count...count, call)
        }
    }

    private static let loki: [String: Entry] = language.merging(text) { $1 }.merging(numbers) { $1 }.merging(times) { $1 }
    private static let promtail: [String: Entry] = loki.merging(sprigText) { $1 }.merging(sprigLists) { $1 }
        .merging(sprigHashes) { $1 }.merging(sprigMore) { $1 }

    static func exists(_ name: String, in functions: TemplateFunctionSet) -> Bool {
        functions == .loki ? loki[name] != nil : promtail[name] != nil
    }

    static func call(
        _ name: String, in functions: TemplateFunctionSet, _ arguments: [TemplateValue], _ context: any TemplateData
    ) throws(Template.Fault) -> TemplateValue {
        guard let entry = functions == .loki ? loki[name] : promtail[name] else {
            throw Template.Fault(description: "function \(name.debugDescription) not defined")
        }
        guard entry.arguments.contains(arguments.count) else {
            throw Template.Fault(description: "wrong number of args for \(name): want \(entry.arguments.lowerBound) got \(arguments.count)")
        }
        if entry.needsText, arguments.contains(where: { $0 == .none }) {
            throw Template.Fault(description: "error calling \(name): invalid value; expected string")
        }
        return try entry.call(arguments, context)
    }

    private static let language: [String: Entry] = [
        "__line__": Entry(0) { _, context in .string(String(decoding: context.line, as: UTF8.self)) },
        "__timestamp__": Entry(0) { _, context in .time(context.timestamp) },
        // The parser stops `and` and `or` early; only their last value comes here.
        "and": Entry(1...100) { arguments, _ in arguments.first { !$0.isTrue } ?? arguments[arguments.count - 1] },
        "or": Entry(1...100) { arguments, _ in arguments.first { $0.isTrue } ?? arguments[arguments.count - 1] },
        "not": Entry(1) { arguments, _ in .bool(!arguments[0].isTrue) },
        "eq": Entry(2...100) { arguments, _ in .bool(arguments.dropFirst().contains { compare(arguments[0], $0) == 0 }) },
        "ne": Entry(2) { arguments, _ in .bool(compare(arguments[0], arguments[1]) != 0) },
        "lt": Entry(2) { arguments, _ in .bool((compare(arguments[0], arguments[1]) ?? 1) < 0) },
        "le": Entry(2) { arguments, _ in .bool((compare(arguments[0], arguments[1]) ?? 1) <= 0) },
        "gt": Entry(2) { arguments, _ in .bool((compare(arguments[0], arguments[1]) ?? -1) > 0) },
        "ge": Entry(2) { arguments, _ in .bool((compare(arguments[0], arguments[1]) ?? -1) >= 0) },
        "len": Entry(1) { arguments, _ in
            switch arguments[0] {
            case .list(let values): .int(Int64(values.count))
            case .map(let values): .int(Int64(values.count))
            default: .int(Int64(arguments[0].text.utf8.count))
            }
        },
        "index": Entry(1...20) { arguments, _ in arguments.dropFirst().reduce(arguments[0]) { element(of: $0, $1) } },
        "print": Entry(0...100) { arguments, _ in
            // Go puts a blank between two operands of which neither is text.
            var text = ""
            for (index, argument) in arguments.enumerated() {
                if index > 0, !argument.isString, !arguments[index - 1].isString { text += " " }
                text += argument.text
            }
            return .string(text)
        },
        "println": Entry(0...100) { arguments, _ in .string(arguments.map(\.text).joined(separator: " ") + "\n") },
        "printf": Entry(1...100) { arguments, _ in .string(GoFormat.text(arguments[0].text, Array(arguments.dropFirst()))) },
        "default": Entry(1...2) { arguments, _ in arguments.count == 2 && arguments[1].isTrue ? arguments[1] : arguments[0] },
        "fromJson": Entry(1) { arguments, _ in TemplateJSON.value(arguments[0].text) },
    ]

    private static func element(of value: TemplateValue, _ key: TemplateValue) -> TemplateValue {
        switch value {
        case .list(let values):
            guard let index = Int(exactly: key.int), values.indices.contains(index) else { return .none }
            return values[index]
        case .map(let values): return values[key.text] ?? .none
        default: return .none
        }
    }

    /// Below, at or above 0 as `left` is less than, equal to or greater than `right`; nil where they do not compare.
    private static func compare(_ left: TemplateValue, _ right: TemplateValue) -> Int? {
        switch (left, right) {
        case (.string(let left), .string(let right)): left == right ? 0 : left.utf8Precedes(right) ? -1 : 1
        case (.bool(let left), .bool(let right)): left == right ? 0 : 1
        case (.int(let left), .int(let right)): left == right ? 0 : left < right ? -1 : 1
        case (.int, .double), (.double, .int), (.double, .double):
            left.double == right.double ? 0 : left.double < right.double ? -1 : 1
        case (.time(let left), .time(let right)): left == right ? 0 : left < right ? -1 : 1
        default: left == right ? 0 : nil
        }
    }
}
