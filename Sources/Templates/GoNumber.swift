/// Floating-point numbers as Go writes and reads them.
package enum GoNumber {
    /// As `%v` prints them: the shortest digits that read back, with an exponent below -4 and from 6 on
    /// (`strconv.FormatFloat(v, 'g', -1, 64)`).
    package static func text(_ value: Double) -> String {
        let plain = decimal(value)
        guard value.isFinite, value != 0 else { return plain }
        let parts = plain.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        let whole = parts[0] == "0" ? "" : String(parts[0])
        let fraction = parts.count > 1 ? String(parts[1]) : ""
        let exponent = whole.isEmpty ? -1 - fraction.prefix { $0 == "0" }.count : whole.count - 1
        guard exponent < -4 || exponent >= 6 else { return plain }
        var digits = (whole + fraction).drop { $0 == "0" }
        while digits.last == "0" { digits.removeLast() }
        let size = String(exponent.magnitude)
        return (plain.hasPrefix("-") ? "-" : "") + digits.prefix(1) + (digits.count > 1 ? "." + digits.dropFirst() : "")
            + (exponent < 0 ? "e-" : "e+") + (size.count < 2 ? "0" : "") + size
    }

    /// The shortest decimal that reads back, never with an exponent (`strconv.FormatFloat(v, 'f', -1, 64)`).
    package static func decimal(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 9e15 { return value == 0 && value.sign == .minus ? "-0" : String(Int64(value)) }
        let text = value.description
        guard let mark = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: mark)...]) else {
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }
        let sign = text.hasPrefix("-") ? "-" : ""
        let mantissa = text[..<mark].drop { $0 == "-" }
        let point = mantissa.firstIndex(of: ".") ?? mantissa.endIndex
        var digits = String(mantissa.filter { $0 != "." })
        var pointAt = mantissa.distance(from: mantissa.startIndex, to: point) + exponent
        while digits.hasSuffix("0"), digits.count > 1, digits.count > pointAt { digits.removeLast() }
        if pointAt <= 0 {
            digits = String(repeating: "0", count: 1 - pointAt) + digits
            pointAt = 1
        }
        if pointAt >= digits.count { return sign + digits + String(repeating: "0", count: pointAt - digits.count) }
        return sign + digits.prefix(pointAt) + "." + digits.dropFirst(pointAt)
    }

    /// As `strconv.ParseFloat` reads them; nil where it is no number.
    package static func parse(_ text: String) -> Double? {
        if let value = Double(text) { return value }
        // Go takes `5.` and `+inf` in any case; Swift only some.
        if text.hasSuffix("."), text.utf8.count > 1 { return Double(String(text.dropLast())) }
        switch text.lowercased() {
        case "inf", "+inf", "infinity", "+infinity": return .infinity
        case "-inf", "-infinity": return -.infinity
        default: return nil
        }
    }
}
