/// Numbers as Go prints and reads them.
package enum PromQLNumber {
    /// Go's `strconv.FormatFloat(value, 'f', -1, 64)`, which Prometheus' JSON uses: the shortest digits that read back to the
    /// same value, never an exponent; `NaN`, `+Inf`, `-Inf`.
    package static func format(_ value: Double) -> String {
        guard let parts = DecimalDigits(value) else { return special(value) }
        var text = parts.isNegative ? "-" : ""
        let digits = parts.digits
        if parts.point <= 0 {
            text += "0." + String(repeating: "0", count: -parts.point) + digits
        } else if parts.point >= digits.count {
            text += digits + String(repeating: "0", count: parts.point - digits.count)
        } else {
            text += digits.prefix(parts.point) + "." + digits.dropFirst(parts.point)
        }
        return text
    }

    /// Go's `%v` and `%g`: like ``format(_:)``, but with an exponent below 1e-4 and from 1e6 on.
    package static func formatGeneral(_ value: Double) -> String {
        guard let parts = DecimalDigits(value) else { return special(value) }
        let exponent = parts.point - 1
        // strconv decides with a precision of 6 where the shortest digits are asked for.
        let exponentMin = 6
        guard exponent < -4 || exponent >= exponentMin else { return format(value) }
        let digits = parts.digits
        var text = parts.isNegative ? "-" : ""
        text += digits.prefix(1)
        if digits.count > 1 { text += "." + digits.dropFirst() }
        let magnitude = String(exponent.magnitude)
        return text + (exponent < 0 ? "e-" : "e+") + (magnitude.count < 2 ? "0" : "") + magnitude
    }

    /// Go's `%e` with the shortest digits: `1e+00`, `2.5e-01`.
    package static func formatScientific(_ value: Double) -> String {
        guard let parts = DecimalDigits(value) else { return value == 0 ? special(value) + "e+00" : special(value) }
        let exponent = parts.point - 1
        let magnitude = String(exponent.magnitude)
        let mantissa = parts.digits.count > 1 ? "\(parts.digits.prefix(1)).\(parts.digits.dropFirst())" : parts.digits
        return (parts.isNegative ? "-" : "") + mantissa + (exponent < 0 ? "e-" : "e+") + (magnitude.count < 2 ? "0" : "")
            + magnitude
    }

    /// As OpenMetrics writes the value of a label such as `le`: always with a decimal point, or an exponent.
    static func formatOpenMetrics(_ value: Double) -> String {
        let text = formatGeneral(value)
        return value.isFinite && !text.contains(".") && !text.contains("e") ? text + ".0" : text
    }

    private static func special(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value.sign == .minus ? "-0" : "0"
    }

    /// Reads a number as PromQL writes it: decimal, hexadecimal, with `_` between digits, Inf and NaN in any case.
    package static func parse(_ text: some StringProtocol) -> Double? {
        var body = Substring(text)
        var isNegative = false
        if let sign = body.first, sign == "+" || sign == "-" {
            isNegative = sign == "-"
            body = body.dropFirst()
        }
        guard let first = body.utf8.first else { return nil }
        let value: Double
        switch body.lowercased() {
        case "inf", "infinity": value = .infinity
        case "nan": value = .nan
        case let plain:
            guard first.isDigit || first == UInt8(ascii: ".") else { return nil }
            let digits = plain.filter { $0 != "_" }
            if digits.hasPrefix("0x") {
                guard let parsed = Double(digits.contains("p") ? digits : digits + "p0") else { return nil }
                value = parsed
            } else if digits.count > 1, digits.hasPrefix("0"),
                digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }),
                let octal = UInt64(digits, radix: 8)
            {
                // Go reads a leading zero as octal where the whole is an integer.
                value = Double(octal)
            } else {
                guard let parsed = Double(digits.hasSuffix(".") ? digits + "0" : digits) else { return nil }
                value = parsed
            }
        }
        return isNegative ? -value : value
    }
}

/// The shortest decimal digits of a number: 0.`digits` × 10^`point`.
private struct DecimalDigits {
    var isNegative: Bool
    var digits: String
    var point: Int

    /// nil for zero, infinities and NaN.
    init?(_ value: Double) {
        guard value.isFinite, value != 0 else { return nil }
        isNegative = value < 0
        // Swift's description is the shortest that reads back, as Go's -1 precision is; only its layout differs.
        var mantissa = Substring(value.magnitude.description)
        var exponent = 0
        if let mark = mantissa.firstIndex(of: "e") {
            exponent = Int(mantissa[mantissa.index(after: mark)...]) ?? 0
            mantissa = mantissa[..<mark]
        }
        let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        let whole = parts.first ?? ""
        let fraction = parts.count > 1 ? parts[1] : ""
        var digits = String(whole + fraction)
        point = whole.count + exponent
        while digits.hasPrefix("0") {
            digits.removeFirst()
            point -= 1
        }
        while digits.hasSuffix("0") { digits.removeLast() }
        self.digits = digits
    }
}
