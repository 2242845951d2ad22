import Foundation
import Telemetry

/// Functions of one sample.
enum ElementwiseFunction: Sendable {
    /// Of a float; histograms go.
    case float(@Sendable (Double) -> Double)
    /// Of a histogram; floats go.
    case histogram(@Sendable (NativeHistogram) -> Double)

    static let table: [String: ElementwiseFunction] = [
        "abs": .float { $0.magnitude },
        "ceil": .float { $0.rounded(.up) },
        "floor": .float { $0.rounded(.down) },
        "exp": .float { Foundation.exp($0) },
        "sqrt": .float { $0.squareRoot() },
        "ln": .float { Foundation.log($0) },
        "log2": .float { Foundation.log2($0) },
        "log10": .float { Foundation.log10($0) },
        "sin": .float { Foundation.sin($0) },
        "cos": .float { Foundation.cos($0) },
        "tan": .float { Foundation.tan($0) },
        "asin": .float { Foundation.asin($0) },
        "acos": .float { Foundation.acos($0) },
        "atan": .float { Foundation.atan($0) },
        "sinh": .float { Foundation.sinh($0) },
        "cosh": .float { Foundation.cosh($0) },
        "tanh": .float { Foundation.tanh($0) },
        "asinh": .float { Foundation.asinh($0) },
        "acosh": .float { Foundation.acosh($0) },
        "atanh": .float { Foundation.atanh($0) },
        "rad": .float { $0 * .pi / 180 },
        "deg": .float { $0 * 180 / .pi },
        "sgn": .float { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 },
        "histogram_count": .histogram(\.count),
        "histogram_sum": .histogram(\.sum),
        "histogram_avg": .histogram { $0.sum / $0.count },
        "histogram_stddev": .histogram { $0.variance.squareRoot() },
        "histogram_stdvar": .histogram(\.variance)
    ]
}
