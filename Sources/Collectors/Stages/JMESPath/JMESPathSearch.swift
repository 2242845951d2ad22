import Codecs

/// Evaluates JMESPath over JSON.
enum JMESPathSearch {
    static func evaluate(_ node: JMESPath.Node, _ value: JSONValue) throws(JMESPath.Fault) -> JSONValue {
        switch node {
        case .current: return value
        case .field(let name): return value[name] ?? .null
        case .index(let index):
            guard case .array(let elements) = value else { return .null }
            return value[index < 0 ? elements.count + index : index] ?? .null
        case .slice(let start, let stop, let step):
            guard case .array(let elements) = value else { return .null }
            return .array(slice(elements, start, stop, step))
        case .chain(let left, let right): return try evaluate(right, try evaluate(left, value))
        case .projection(let left, let right):
            guard case .array(let elements) = try evaluate(left, value) else { return .null }
            return try project(elements, right)
        case .valueProjection(let left, let right):
            guard case .object(let object) = try evaluate(left, value) else { return .null }
            return try project(object.members.map(\.value), right)
        case .filter(let left, let condition, let right):
            guard case .array(let elements) = try evaluate(left, value) else { return .null }
            var kept: [JSONValue] = []
            for element in elements where isTrue(try evaluate(condition, element)) { kept.append(element) }
            return try project(kept, right)
        case .flatten(let inner):
            guard case .array(let elements) = try evaluate(inner, value) else { return .null }
            return .array(elements.flatMap { if case .array(let inner) = $0 { inner } else { [$0] } })
        case .list(let nodes):
            if value.isNull { return .null }
            var result: [JSONValue] = []
            for node in nodes { result.append(try evaluate(node, value)) }
            return .array(result)
        case .hash(let members):
            if value.isNull { return .null }
            var result = JSONObject()
            for member in members { result.members.append(.init(name: member.name, value: try evaluate(member.node, value))) }
            return .object(result)
        case .or(let left, let right):
            let first = try evaluate(left, value)
            return isTrue(first) ? first : try evaluate(right, value)
        case .and(let left, let right):
            let first = try evaluate(left, value)
            return isTrue(first) ? try evaluate(right, value) : first
        case .not(let inner): return .bool(!isTrue(try evaluate(inner, value)))
        case .comparison(let comparison, let left, let right):
            return compare(comparison, try evaluate(left, value), try evaluate(right, value))
        case .literal(let literal): return literal
        case .function(let name, let arguments): return try JMESPathFunctions.call(name, arguments, value)
        case .reference: throw JMESPath.Fault(description: "an expression reference (&) is only an argument of functions")
        }
    }

    /// Anything but `null`, `false` and what is empty.
    static func isTrue(_ value: JSONValue) -> Bool {
        switch value {
        case .null: false
        case .bool(let value): value
        case .string(let text): !text.isEmpty
        case .array(let elements): !elements.isEmpty
        case .object(let object): !object.members.isEmpty
        case .number: true
        }
    }

    /// Numbers are equal by value, objects whatever the order of their members.
    static func equal(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)): left.double == right.double
        case (.array(let left), .array(let right)): left.count == right.count && zip(left, right).allSatisfy { equal($0, $1) }
        case (.object(let left), .object(let right)):
            left.members.count == right.members.count
                && left.members.allSatisfy { member in right[member.name].map { equal(member.value, $0) } ?? false }
        default: left == right
        }
    }

    private static func compare(_ comparison: JMESPath.Comparison, _ left: JSONValue, _ right: JSONValue) -> JSONValue {
        switch comparison {
        case .equal: return .bool(equal(left, right))
        case .notEqual: return .bool(!equal(left, right))
        default: break
        }
        guard let left = left.double, let right = right.double else { return .null }
        switch comparison {
        case .less: return .bool(left < right)
        case .lessOrEqual: return .bool(left <= right)
        case .greater: return .bool(left > right)
        default: return .bool(left >= right)
        }
    }

    private static func project(_ elements: [JSONValue], _ node: JMESPath.Node) throws(JMESPath.Fault) -> JSONValue {
        if node == .current { return .array(elements.filter { !$0.isNull }) }
        var result: [JSONValue] = []
        for element in elements {
            let value = try evaluate(node, element)
            if !value.isNull { result.append(value) }
        }
        return .array(result)
    }

    private static func slice(_ elements: [JSONValue], _ start: Int?, _ stop: Int?, _ step: Int) -> [JSONValue] {
        let count = elements.count
        func bound(_ value: Int) -> Int {
            let absolute = value < 0 ? (value < -count ? -1 : value + count) : value
            return min(max(absolute, step < 0 ? -1 : 0), step < 0 ? count - 1 : count)
        }
        var index = start.map(bound) ?? (step < 0 ? count - 1 : 0)
        let end = stop.map(bound) ?? (step < 0 ? -1 : count)
        var result: [JSONValue] = []
        while step > 0 ? index < end : index > end, elements.indices.contains(index) {
            result.append(elements[index])
            let (next, overflows) = index.addingReportingOverflow(step)
            if overflows { break }
            index = next
        }
        return result
    }
}
