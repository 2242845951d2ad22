import Telemetry

/// The functions that Go's templates have of their own (text/template, "Functions").
extension TemplateFunctions {
    static let goNames: Set<String> = [
        "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "slice", "print", "println", "printf",
        "html", "js", "urlquery",
        "call",
    ]

    static func callGo(_ name: String, _ arguments: [TemplateValue]) throws -> TemplateValue {
        switch name {
        case "and", "or":
            // All but the last have been looked at already.
            guard let last = arguments.last else {
                throw Failure("wrong number of args for \(name): want at least 1 got 0")
            }
            return last
        case "not":
            guard arguments.count == 1 else {
                throw Failure("wrong number of args for not: want 1 got \(arguments.count)")
            }
            return .bool(!arguments[0].isTrue)
        case "eq":
            guard arguments.count > 1 else { throw Failure("missing argument for comparison") }
            for other in arguments.dropFirst() where try order(arguments[0], other) == 0 { return .bool(true) }
            return .bool(false)
        case "ne", "lt", "le", "gt", "ge":
            guard arguments.count == 2 else {
                throw Failure("wrong number of args for \(name): want 2 got \(arguments.count)")
            }
            guard let order = try order(arguments[0], arguments[1]) else { return .bool(name == "ne") }
            switch name {
            case "ne": return .bool(order != 0)
            case "lt": return .bool(order < 0)
            case "le": return .bool(order <= 0)
            case "gt": return .bool(order > 0)
            default: return .bool(order >= 0)
            }
        case "len":
            guard arguments.count == 1 else {
                throw Failure("wrong number of args for len: want 1 got \(arguments.count)")
            }
            switch arguments[0] {
            case .string(let text): return .int(Int64(text.utf8.count))
            case .list(let values): return .int(Int64(values.count))
            case .map(let values): return .int(Int64(values.count))
            default: throw Failure("len of type \(arguments[0].kind)")
            }
        case "index": return try index(arguments)
        case "slice": return try slice(arguments)
        case "print": return .string(joined(arguments))
        case "println": return .string(arguments.map(\.text).joined(separator: " ") + "\n")
        case "printf":
            guard case .string(let format)? = arguments.first else {
                throw Failure("wrong type for value; expected string")
            }
            return .string(Printf.format(format, Array(arguments.dropFirst())))
        case "html": return .string(html(joined(arguments)))
        case "js": return .string(String(joined(arguments).quoted.dropFirst().dropLast()))
        case "urlquery": return .string(urlQuery(joined(arguments)))
        default: throw Failure("\(name) is not supported")
        }
    }

    /// Below, at or above 0; nil where the values never are equal or ordered (NaN).
    private static func order(_ left: TemplateValue, _ right: TemplateValue) throws -> Int? {
        func sign<T: Comparable>(_ left: T, _ right: T) -> Int? {
            left == right ? 0 : left < right ? -1 : left > right ? 1 : nil
        }
        switch (left, right) {
        case (.int(let left), .int(let right)): return sign(left, right)
        case (.double(let left), .double(let right)): return sign(left, right)
        case (.duration(let left), .duration(let right)), (.time(let left), .time(let right)): return sign(left, right)
        case (.string(let left), .string(let right)): return left == right ? 0 : left.utf8Precedes(right) ? -1 : 1
        case (.bool(let left), .bool(let right)): return left == right ? 0 : left ? 1 : -1
        case (.none, .none): return 0
        default: throw Failure("incompatible types for comparison: \(left.kind) and \(right.kind)")
        }
    }

    private static func index(_ arguments: [TemplateValue]) throws -> TemplateValue {
        guard var value = arguments.first else { throw Failure("index of nothing") }
        for key in arguments.dropFirst() {
            switch (value, key) {
            case (.list(let values), .int(let index)):
                guard index >= 0, index < Int64(values.count) else { throw Failure("index out of range: \(index)") }
                value = values[Int(index)]
            case (.map(let values), .string(let key)): value = values[key] ?? .string("")
            case (.string(let text), .int(let index)):
                let bytes = Array(text.utf8)
                guard index >= 0, index < Int64(bytes.count) else { throw Failure("index out of range: \(index)") }
                value = .int(Int64(bytes[Int(index)]))
            default: throw Failure("can't index item of type \(value.kind) with \(key.kind)")
            }
        }
        return value
    }

    private static func slice(_ arguments: [TemplateValue]) throws -> TemplateValue {
        var bounds: [Int] = []
        for argument in arguments.dropFirst() {
            guard case .int(let bound) = argument else {
                throw Failure("cannot index slice/array with type \(argument.kind)")
            }
            bounds.append(Int(bound))
        }
        func range(_ count: Int) throws -> Range<Int> {
            let (start, end) = (bounds.first ?? 0, bounds.count > 1 ? bounds[1] : count)
            guard start >= 0, start <= end, end <= count else { throw Failure("index out of range: \(start):\(end)") }
            return start..<end
        }
        switch arguments.first {
        case .string(let text):
            let bytes = Array(text.utf8)
            return .string(String(decoding: bytes[try range(bytes.count)], as: UTF8.self))
        case .list(let values): return .list(Array(values[try range(values.count)]))
        default: throw Failure("slice of type \(arguments.first?.kind ?? "nil")")
        }
    }

    /// As `fmt.Sprint`: a space between two operands neither of which is a string.
    private static func joined(_ arguments: [TemplateValue]) -> String {
        var result = ""
        for (index, argument) in arguments.enumerated() {
            if index > 0, !argument.isString, !arguments[index - 1].isString { result += " " }
            result += argument.text
        }
        return result
    }
}

extension TemplateValue {
    fileprivate var isString: Bool { if case .string = self { true } else { false } }
}

/// Go's `fmt.Sprintf`, for the values that templates have.
enum Printf {
    /// A wider field than this is a slip, or somebody who wants our memory.
    private static let widthMax = 1_000

    static func format(_ format: String, _ arguments: [TemplateValue]) -> String {
        var result = ""
        var rest = Swift.Substring(format)
        var next = 0
        while let percent = rest.firstIndex(of: "%") {
            result += rest[..<percent]
            rest = rest[rest.index(after: percent)...]
            let flags = String(rest.prefix { "+-# 0".contains($0) })
            rest = rest.dropFirst(flags.count)
            let width = integer(&rest)
            var precision: Int?
            if rest.first == "." {
                rest = rest.dropFirst()
                precision = integer(&rest) ?? 0
            }
            guard let verb = rest.popFirst() else { return result + "%!(NOVERB)" }
            if verb == "%" {
                result += "%"
                continue
            }
            guard next < arguments.count else {
                result += "%!\(verb)(MISSING)"
                continue
            }
            result += one(arguments[next], verb, flags, width, precision)
            next += 1
        }
        result += rest
        if next < arguments.count {
            result += "%!(EXTRA " + arguments[next...].map { "\($0.kind)=\($0.text)" }.joined(separator: ", ") + ")"
        }
        return result
    }

    private static func integer(_ rest: inout Swift.Substring) -> Int? {
        let digits = rest.prefix { ("0"..."9").contains($0) }
        rest = rest.dropFirst(digits.count)
        return Int(digits).map { min($0, widthMax) }
    }

    private static func one(
        _ value: TemplateValue, _ verb: Character, _ flags: String, _ width: Int?, _ precision: Int?
    ) -> String {
        switch (verb, value) {
        case ("v", .double(let number)) where precision != nil:
            return GoFormat.number(number, verb: "g", flags: flags, width: width, precision: precision)
        case ("v", _): return GoFormat.pad(value.text, flags: flags, width: width)
        case ("g", .double(let number)) where precision == nil:
            return GoFormat.pad(GoFormat.shortest(number), flags: flags, width: width)
        case ("f", .double(let number)), ("F", .double(let number)), ("e", .double(let number)),
            ("E", .double(let number)),
            ("g", .double(let number)), ("G", .double(let number)):
            return GoFormat.number(number, verb: verb, flags: flags, width: width, precision: precision)
        case ("s", .string(let text)):
            return GoFormat.pad(String(text.prefix(precision ?? .max)), flags: flags, width: width)
        case ("q", .string(let text)): return GoFormat.pad(text.quoted, flags: flags, width: width)
        case ("s", .list), ("s", .map), ("s", .time), ("s", .duration):
            return GoFormat.pad(value.text, flags: flags, width: width)
        case ("t", .bool), ("d", .int), ("d", .duration):
            var text = value.text
            if case .duration(let nanoseconds) = value { text = String(nanoseconds) }
            if flags.contains("+"), !text.hasPrefix("-"), verb == "d" { text = "+" + text }
            if flags.contains("0"), !flags.contains("-"), let width, text.count < width {
                let sign = text.hasPrefix("-") || text.hasPrefix("+") ? 1 : 0
                text = text.prefix(sign) + String(repeating: "0", count: width - text.count) + text.dropFirst(sign)
            }
            return GoFormat.pad(text, flags: flags, width: width)
        case ("x", .int(let number)): return GoFormat.pad(String(number, radix: 16), flags: flags, width: width)
        case ("X", .int(let number)):
            return GoFormat.pad(String(number, radix: 16, uppercase: true), flags: flags, width: width)
        case ("T", _): return value.kind
        default: return "%!\(verb)(\(value.kind)=\(value.text))"
        }
    }
}
