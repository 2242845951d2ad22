import Telemetry
import Glibc

extension StaticValue {
    /// Words that are values.
    init?(word: String) {
        switch word {
        case "nil": self = .none
        case "true": self = .bool(true)
        case "false": self = .bool(false)
        case "ok": self = .status(.ok)
        case "error": self = .status(.error)
        case "unset": self = .status(.unset)
        case "unspecified": self = .kind(.unspecified)
        case "internal": self = .kind(.internal)
        case "server": self = .kind(.server)
        case "client": self = .kind(.client)
        case "producer": self = .kind(.producer)
        case "consumer": self = .kind(.consumer)
        default: return nil
        }
    }

    /// A number, durations included.
    var isNumber: Bool { double != nil }

    /// A number without a unit.
    var plainNumber: Double? {
        if case .duration = self { nil } else { double }
    }

    /// Its number; a duration's nanoseconds.
    package var double: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        case .duration(let value): Double(value)
        default: nil
        }
    }

    /// Numbers joined by an operator of arithmetic; nil where they are none.
    static func arithmetic(_ operation: FieldExpression.Operation, _ left: StaticValue, _ right: StaticValue)
        -> StaticValue?
    {
        guard let a = left.double, let b = right.double else { return nil }
        if case .int(let a) = left, case .int(let b) = right, let exact = integer(operation, a, b) {
            return .int(exact)
        }
        let result: Double
        switch operation {
        case .add: result = a + b
        case .subtract: result = a - b
        case .multiply: result = a * b
        case .divide: result = a / b
        case .modulo: result = fmod(a, b)
        case .power: result = pow(a, b)
        default: return nil
        }
        var isDuration = false
        if case .duration = left { isDuration = true }
        if case .duration = right { isDuration = true }
        guard isDuration else { return .double(result) }
        return abs(result) < 9.2e18 ? .duration(Int64(result)) : nil
    }

    /// Whole numbers stay whole where the result is; nil where it is not.
    private static func integer(_ operation: FieldExpression.Operation, _ a: Int64, _ b: Int64) -> Int64? {
        let (value, overflow): (Int64, Bool)
        switch operation {
        case .add: (value, overflow) = a.addingReportingOverflow(b)
        case .subtract: (value, overflow) = a.subtractingReportingOverflow(b)
        case .multiply: (value, overflow) = a.multipliedReportingOverflow(by: b)
        case .modulo: (value, overflow) = a.remainderReportingOverflow(dividingBy: b)
        default: return nil
        }
        return overflow ? nil : value
    }
}
