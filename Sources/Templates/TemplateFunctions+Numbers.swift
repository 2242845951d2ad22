import Glibc

extension TemplateFunctions {
    static let numbers: [String: Entry] = [
        "int": Entry(1) { arguments, _ in .int(arguments[0].int) },
        "float64": Entry(1) { arguments, _ in .double(arguments[0].double) },
        "add": Entry(1...100) { arguments, _ in .int(arguments.reduce(0) { $0 &+ $1.int }) },
        "sub": Entry(2) { arguments, _ in .int(arguments[0].int &- arguments[1].int) },
        "mul": Entry(1...100) { arguments, _ in .int(arguments.reduce(1) { $0 &* $1.int }) },
        "div": Entry(2) { arguments, _ throws(Template.Fault) in try divide(arguments) { $0.dividedReportingOverflow(by: $1).partialValue }
        },
        "mod": Entry(2) { arguments, _ throws(Template.Fault) in
            try divide(arguments) { $0.remainderReportingOverflow(dividingBy: $1).partialValue }
        },
        "addf": Entry(1...100) { arguments, _ in .double(arguments.reduce(0) { $0 + $1.double }) },
        "subf": Entry(1...100) { arguments, _ in .double(arguments.dropFirst().reduce(arguments[0].double) { $0 - $1.double }) },
        "mulf": Entry(1...100) { arguments, _ in .double(arguments.reduce(1) { $0 * $1.double }) },
        "divf": Entry(1...100) { arguments, _ in .double(arguments.dropFirst().reduce(arguments[0].double) { $0 / $1.double }) },
        "max": Entry(1...100) { arguments, _ in .int(arguments.map(\.int).max() ?? 0) },
        "min": Entry(1...100) { arguments, _ in .int(arguments.map(\.int).min() ?? 0) },
        "maxf": Entry(1...100) { arguments, _ in .double(arguments.map(\.double).max() ?? 0) },
        "minf": Entry(1...100) { arguments, _ in .double(arguments.map(\.double).min() ?? 0) },
        "ceil": Entry(1) { arguments, _ in .double(arguments[0].double.rounded(.up)) },
        "floor": Entry(1) { arguments, _ in .double(arguments[0].double.rounded(.down)) },
        "round": Entry(2...3) { arguments, _ in
            let scale = pow(10, Double(min(max(arguments[1].int, 0), 15)))
            let scaled = arguments[0].double * scale
            // A third argument says from which fraction on it goes up; 0.5 otherwise.
            let threshold = arguments.count > 2 ? arguments[2].double : 0.5
            let fraction = abs(scaled - scaled.rounded(.towardZero))
            let rounded = fraction >= threshold ? scaled.rounded(.awayFromZero) : scaled.rounded(.towardZero)
            return .double(rounded / scale)
        },
        "bytes": Entry(1) { arguments, _ throws(Template.Fault) in
            guard let bytes = GoByteSize.parse(arguments[0].text) else { throw Template.Fault(description: "\(arguments[0].text) is no size") }
            return .double(Double(bytes))
        },
        "duration": Entry(1) { arguments, _ throws(Template.Fault) in try seconds(arguments[0]) },
        "duration_seconds": Entry(1) { arguments, _ throws(Template.Fault) in try seconds(arguments[0]) },
    ]

    private static func divide(
        _ arguments: [TemplateValue], _ operation: (Int64, Int64) -> Int64
    ) throws(Template.Fault) -> TemplateValue {
        guard arguments[1].int != 0 else { throw Template.Fault(description: "runtime error: integer divide by zero") }
        return .int(operation(arguments[0].int, arguments[1].int))
    }

    private static func seconds(_ value: TemplateValue) throws(Template.Fault) -> TemplateValue {
        guard let nanoseconds = GoDuration.parse(value.text) else {
            throw Template.Fault(description: "\(value.text) is no duration")
        }
        return .double(GoDuration.seconds(nanoseconds))
    }
}
