import PromQL

/// Go's `strconv.FormatFloat(value, 'e', -1, 64)`, in which Prometheus writes the values of alerts: `1e+00`, `2.5e-01`.
enum ScientificNumber {
    static func text(_ value: Double) -> String {
        guard value.isFinite else { return PromQLNumber.format(value) }
        if value == 0 { return value.sign == .minus ? "-0e+00" : "0e+00" }
        let plain = PromQLNumber.format(value.magnitude)
        let parts = plain.split(separator: ".", omittingEmptySubsequences: false)
        let whole = String(parts[0])
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        let digits = whole + fraction
        let leadingZeros = digits.prefix { $0 == "0" }.count
        var significant = String(digits.dropFirst(leadingZeros))
        while significant.count > 1, significant.last == "0" { significant.removeLast() }
        let exponent = whole.count - 1 - leadingZeros
        let magnitude = String(exponent.magnitude)
        let mantissa = significant.count > 1 ? "\(significant.prefix(1)).\(significant.dropFirst())" : significant
        let sign = value < 0 ? "-" : ""
        return "\(sign)\(mantissa)e\(exponent < 0 ? "-" : "+")\(magnitude.count < 2 ? "0" : "")\(magnitude)"
    }
}
