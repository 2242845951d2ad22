package import Query
import Telemetry

/// Tempo's search before TraceQL: `tags=service.name=shop error=true&minDuration=100ms`, as a pipeline.
package enum TagSearch {
    /// - Parameters:
    ///   - tags: pairs in logfmt.
    ///   - minDuration: a duration of the whole trace, as Go writes it; empty: none.
    package static func pipeline(
        tags: String, minDuration: String = "", maxDuration: String = ""
    ) throws(QueryError) -> SpansetPipeline {
        var conditions: [FieldExpression] = []
        for (name, value) in try pairs(tags) { conditions.append(condition(name, value)) }
        for (text, operation) in [(minDuration, FieldExpression.Operation.greaterOrEqual), (maxDuration, .lessOrEqual)]
        where !text.isEmpty {
            guard let nanoseconds = DurationText.nanoseconds(text) else {
                throw QueryError(.parse, "invalid duration \(text.debugDescription): write it as 100ms, 1.5s or 2m")
            }
            conditions.append(
                .binary(operation, .field(SpanField(.intrinsic(.traceDuration))), .constant(.duration(nanoseconds))))
        }
        let all = conditions.dropFirst().reduce(conditions.first) { left, right in left.map { .binary(.and, $0, right) }
        }
        return SpansetPipeline(stages: [.spanset(.filter(all))])
    }

    private static func condition(_ name: String, _ value: String) -> FieldExpression {
        func equals(_ field: SpanField.Name, _ value: StaticValue) -> FieldExpression {
            .binary(.equal, .field(SpanField(field)), .constant(value))
        }
        switch (name, value) {
        case ("name", _): return equals(.intrinsic(.name), .string(value))
        case ("root.name", _): return equals(.intrinsic(.rootName), .string(value))
        case ("root.service.name", _): return equals(.intrinsic(.rootServiceName), .string(value))
        case ("service.name", _): return equals(.attribute(.resource, name), .string(value))
        case ("error", "true"), ("status", "error"), ("status.code", "error"):
            return equals(.intrinsic(.status), .status(.error))
        case ("status", "ok"), ("status.code", "ok"): return equals(.intrinsic(.status), .status(.ok))
        case ("status", "unset"), ("status.code", "unset"): return equals(.intrinsic(.status), .status(.unset))
        default: break
        }
        if name == "kind" || name == "span.kind", case .kind(let kind)? = StaticValue(word: value) {
            return equals(.intrinsic(.kind), .kind(kind))
        }
        // A pair is text; the attribute it means may be a number or a truth.
        var condition = equals(.attribute(.any, name), .string(value))
        if let number = Int64(value) {
            condition = .binary(.or, condition, equals(.attribute(.any, name), .int(number)))
        } else if let number = Double(value) {
            condition = .binary(.or, condition, equals(.attribute(.any, name), .double(number)))
        } else if value == "true" || value == "false" {
            condition = .binary(.or, condition, equals(.attribute(.any, name), .bool(value == "true")))
        }
        return condition
    }

    /// `key=value key="quoted value"`.
    private static func pairs(_ text: String) throws(QueryError) -> [(String, String)] {
        let bytes = Array(text.utf8)
        var pairs: [(String, String)] = []
        var position = 0
        func fault(_ message: String, _ start: Int) -> QueryError {
            QueryError(
                .parse, "invalid tags: \(message)", at: QueryError.Place(start: start, end: bytes.count, in: text))
        }
        while position < bytes.count {
            if bytes[position] <= 0x20 {
                position += 1
                continue
            }
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "="), bytes[position] > 0x20 { position += 1 }
            let name = String(decoding: bytes[start..<position], as: UTF8.self)
            guard position < bytes.count, bytes[position] == UInt8(ascii: "="), !name.isEmpty else {
                throw fault("\(name.debugDescription) has no value", start)
            }
            position += 1
            var value: [UInt8] = []
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                position += 1
                while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                    if bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.count { position += 1 }
                    value.append(bytes[position])
                    position += 1
                }
                guard position < bytes.count else { throw fault("a quoted value is not closed", start) }
                position += 1
            } else {
                while position < bytes.count, bytes[position] > 0x20 {
                    value.append(bytes[position])
                    position += 1
                }
            }
            pairs.append((name, String(decoding: value, as: UTF8.self)))
        }
        return pairs
    }
}
