import Foundation

/// The operators on two floats.
enum FloatArithmetic {
    static func apply(_ operation: BinaryOperator, _ a: Double, _ b: Double) -> Double {
        switch operation {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .modulo: fmod(a, b)
        case .power: pow(a, b)
        case .atan2: Foundation.atan2(a, b)
        default: holds(operation, a, b) ? 1 : 0
        }
    }

    /// Whether a comparison holds.
    static func holds(_ operation: BinaryOperator, _ a: Double, _ b: Double) -> Bool {
        switch operation {
        case .equal: a == b
        case .notEqual: a != b
        case .greater: a > b
        case .less: a < b
        case .greaterOrEqual: a >= b
        case .lessOrEqual: a <= b
        default: false
        }
    }
}
