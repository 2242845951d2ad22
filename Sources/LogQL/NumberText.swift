/// Numbers as Go writes them, and so Loki's queries.
enum NumberText {
    /// `%v`: with an exponent below 1e-4 and from 1e6 on.
    static func shortest(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return plain(value) }
        let (digits, exponent) = decimal(value)
        guard exponent < -4 || exponent >= 6 else { return plain(value) }
        let sign = value < 0 ? "-" : ""
        let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
        let power = String(exponent.magnitude)
        return "\(sign)\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(power.count < 2 ? "0" : "")\(power)"
    }

    /// `%f` with six digits, or more where the number needs them.
    static func vector(_ value: Double) -> String {
        var text = plain(value)
        let point = text.firstIndex(of: ".")
        let digits = point.map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
        if point == nil { text += "." }
        return text + String(repeating: "0", count: max(0, 6 - digits))
    }

    /// Without an exponent (`strconv.FormatFloat(v, 'f', -1, 64)`).
    static func plain(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        let (digits, exponent) = decimal(value)
        let sign = value < 0 ? "-" : ""
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        if digits.count <= exponent + 1 { return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count) }
        return sign + digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
    }

    /// The shortest digits that read back the same, without zeros at the end, and the power of ten of the first one.
    private static func decimal(_ value: Double) -> (digits: String, exponent: Int) {
        let text = "\(value.magnitude)".lowercased()
        let parts = text.split(separator: "e", omittingEmptySubsequences: false)
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let (whole, fraction) = (String(mantissa[0]), mantissa.count > 1 ? String(mantissa[1]) : "")
        var exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + whole.count - 1
        var digits = Array((whole + fraction).utf8)[...]
        while digits.count > 1, digits.first == UInt8(ascii: "0") {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (String(decoding: digits, as: UTF8.self), exponent)
    }
}
