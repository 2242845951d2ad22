import Codecs
import Templates

/// The functions of JMESPath (specification, "Built-in Functions").
enum JMESPathFunctions {
    private static let counts: [String: ClosedRange<Int>] = [
        "abs": 1...1, "avg": 1...1, "ceil": 1...1, "contains": 2...2, "ends_with": 2...2, "floor": 1...1, "join": 2...2, "keys": 1...1,
        "length": 1...1, "map": 2...2, "max": 1...1, "max_by": 2...2, "merge": 1...100, "min": 1...1, "min_by": 2...2,
        "not_null": 1...100, "reverse": 1...1, "sort": 1...1, "sort_by": 2...2, "starts_with": 2...2, "sum": 1...1, "to_array": 1...1,
        "to_number": 1...1, "to_string": 1...1, "type": 1...1, "values": 1...1,
    ]

    static func check(_ name: String, count: Int) throws(JMESPath.Fault) {
        guard let counts = counts[name] else { throw JMESPath.Fault(description: "unknown function: \(name)") }
        guard counts.contains(count) else {
            throw JMESPath.Fault(description: "\(name)(): expected \(counts.lowerBound) arguments, found \(count)")
        }
    }

    static func call(_ name: String, _ nodes: [JMESPath.Node], _ value: JSONValue) throws(JMESPath.Fault) -> JSONValue {
        var arguments: [JSONValue] = []
        var reference: JMESPath.Node?
        for node in nodes {
            if case .reference(let inner) = node {
                reference = inner
                arguments.append(.null)
            } else {
                arguments.append(try JMESPathSearch.evaluate(node, value))
            }
        }
        let first = arguments[0]
        switch name {
        case "abs": return number(abs(try double(first, name)))
        case "ceil": return number(try double(first, name).rounded(.up))
        case "floor": return number(try double(first, name).rounded(.down))
        case "sum": return number(try doubles(first, name).reduce(0, +))
        case "avg":
            let values = try doubles(first, name)
            return values.isEmpty ? .null : number(values.reduce(0, +) / Double(values.count))
        case "contains":
            if case .array(let elements) = first { return .bool(elements.contains { JMESPathSearch.equal($0, arguments[1]) }) }
            return .bool(try string(first, name).contains(try string(arguments[1], name)))
        case "starts_with": return .bool(try string(first, name).hasPrefix(try string(arguments[1], name)))
        case "ends_with": return .bool(try string(first, name).hasSuffix(try string(arguments[1], name)))
        case "join":
            var parts: [String] = []
            for element in try array(arguments[1], name) { parts.append(try string(element, name)) }
            return .string(parts.joined(separator: try string(first, name)))
        case "keys": return .array(try object(first, name).members.map { .string($0.name) })
        case "values": return .array(try object(first, name).members.map(\.value))
        case "length":
            switch first {
            case .string(let text): return number(Double(text.unicodeScalars.count))
            case .array(let elements): return number(Double(elements.count))
            case .object(let object): return number(Double(object.members.count))
            default: throw wrong(name)
            }
        case "map":
            guard let reference else { throw wrong(name) }
            var result: [JSONValue] = []
            for element in try array(arguments[1], name) { result.append(try JMESPathSearch.evaluate(reference, element)) }
            return .array(result)
        case "merge":
            var result = JSONObject()
            for argument in arguments {
                for member in try object(argument, name).members {
                    result.members.removeAll { $0.name == member.name }
                    result.members.append(member)
                }
            }
            return .object(result)
        case "not_null": return arguments.first { !$0.isNull } ?? .null
        case "reverse":
            if case .string(let text) = first { return .string(String(String.UnicodeScalarView(text.unicodeScalars.reversed()))) }
            return .array(try array(first, name).reversed())
        case "sort": return .array(try ordered(try array(first, name), name) { (value) throws(JMESPath.Fault) in value })
        case "max": return try ordered(try array(first, name), name) { (value) throws(JMESPath.Fault) in value }.last ?? .null
        case "min": return try ordered(try array(first, name), name) { (value) throws(JMESPath.Fault) in value }.first ?? .null
        case "sort_by", "max_by", "min_by":
            guard let reference else { throw wrong(name) }
            let sorted = try ordered(try array(first, name), name) { (value) throws(JMESPath.Fault) in
                try JMESPathSearch.evaluate(reference, value)
            }
            return name == "sort_by" ? .array(sorted) : (name == "max_by" ? sorted.last : sorted.first) ?? .null
        case "to_array": if case .array = first { return first } else { return .array([first]) }
        case "to_number":
            if case .number = first { return first }
            return first.string.flatMap { GoNumber.parse($0) }.map { number($0) } ?? .null
        case "to_string": return first.string == nil ? .string(JSONText.text(first)) : first
        case "type": return .string(type(first))
        default: throw JMESPath.Fault(description: "unknown function: \(name)")
        }
    }

    private static func number(_ value: Double) -> JSONValue { .number(JSONNumber(text: GoNumber.decimal(value))) }

    private static func wrong(_ name: String) -> JMESPath.Fault { JMESPath.Fault(description: "\(name)(): invalid type of argument") }

    private static func double(_ value: JSONValue, _ name: String) throws(JMESPath.Fault) -> Double {
        guard let number = value.double else { throw wrong(name) }
        return number
    }

    private static func string(_ value: JSONValue, _ name: String) throws(JMESPath.Fault) -> String {
        guard let text = value.string else { throw wrong(name) }
        return text
    }

    private static func array(_ value: JSONValue, _ name: String) throws(JMESPath.Fault) -> [JSONValue] {
        guard case .array(let elements) = value else { throw wrong(name) }
        return elements
    }

    private static func object(_ value: JSONValue, _ name: String) throws(JMESPath.Fault) -> JSONObject {
        guard case .object(let object) = value else { throw wrong(name) }
        return object
    }

    private static func doubles(_ value: JSONValue, _ name: String) throws(JMESPath.Fault) -> [Double] {
        var values: [Double] = []
        for element in try array(value, name) { values.append(try double(element, name)) }
        return values
    }

    /// Elements by a key, which must be all numbers or all strings; equal ones keep their order.
    private static func ordered(
        _ elements: [JSONValue], _ name: String, key: (JSONValue) throws(JMESPath.Fault) -> JSONValue
    ) throws(JMESPath.Fault) -> [JSONValue] {
        var keys: [JSONValue] = []
        for element in elements { keys.append(try key(element)) }
        let areNumbers = keys.allSatisfy { $0.double != nil }
        guard areNumbers || keys.allSatisfy({ $0.string != nil }) else { throw wrong(name) }
        let order = keys.indices.sorted { left, right in
            if areNumbers {
                let (a, b) = (keys[left].double ?? 0, keys[right].double ?? 0)
                return a == b ? left < right : a < b
            }
            let (a, b) = (keys[left].string ?? "", keys[right].string ?? "")
            return a == b ? left < right : a.utf8.lexicographicallyPrecedes(b.utf8)
        }
        return order.map { elements[$0] }
    }

    private static func type(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
