/// Numbers as OpenMetrics writes them in the labels `le` and `quantile` (OpenMetrics 1.0, "Numbers"; labels.FormatOpenMetricsFloat).
enum OpenMetricsNumber {
    static func text(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }
        if value == 0 { return "0.0" }
        let (digits, exponent) = shortest(value)
        let sign = value < 0 ? "-" : ""
        // Go's `%g` with the shortest digits: with an exponent below -4 and from 6 on.
        if exponent < -4 || exponent >= 6 {
            let mantissa = digits.count > 1 ? "\(digits.prefix(1)).\(digits.dropFirst())" : digits
            let magnitude = String(exponent.magnitude)
            return "\(sign)\(mantissa)e\(exponent < 0 ? "-" : "+")\(magnitude.count < 2 ? "0" : "")\(magnitude)"
        }
        if exponent < 0 { return "\(sign)0.\(String(repeating: "0", count: -exponent - 1))\(digits)" }
        if digits.count <= exponent + 1 { return "\(sign)\(digits)\(String(repeating: "0", count: exponent + 1 - digits.count)).0" }
        return "\(sign)\(digits.prefix(exponent + 1)).\(digits.dropFirst(exponent + 1))"
    }

    /// The shortest digits that read back as the value's magnitude, and the power of ten of the first.
    private static func shortest(_ value: Double) -> (digits: String, exponent: Int) {
        let text = value.magnitude.description
        let parts = text.split(separator: "e")
        let written = parts.count == 2 ? Int(parts[1]) ?? 0 : 0
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let whole = String(mantissa[0])
        let fraction = mantissa.count == 2 ? String(mantissa[1]) : ""
        let all = whole + fraction
        let leading = all.prefix { $0 == "0" }.count
        var digits = String(all.dropFirst(leading))
        while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
        return (digits, whole.count - 1 - leading + written)
    }
}
