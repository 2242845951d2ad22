/// Prometheus' notation of durations: `1h30m`, units `y w d h m s ms` in falling order, each once.
package enum PromQLDuration {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000),
        ("s", 1_000), ("ms", 1)
    ]

    /// Milliseconds of a duration; nil where the text is none. A bare `0` is one.
    package static func parse(_ text: some StringProtocol) -> Int64? {
        if text == "0" { return 0 }
        var total: Int64 = 0
        var rest = text.utf8[...]
        var nextUnit = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            var value: Int64 = 0
            var digitCount = 0
            while let digit = rest.first, digit.isDigit {
                let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
                let (sum, carried) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
                if overflowed || carried { return nil }
                value = sum
                digitCount += 1
                rest = rest.dropFirst()
            }
            let name = rest.prefix { !$0.isDigit }
            guard digitCount > 0, !name.isEmpty,
                let unit = units[nextUnit...].firstIndex(where: { name.elementsEqual($0.name.utf8) })
            else { return nil }
            nextUnit = unit + 1
            rest = rest.dropFirst(name.count)
            let (part, overflowed) = value.multipliedReportingOverflow(by: units[unit].milliseconds)
            let (sum, carried) = total.addingReportingOverflow(part)
            if overflowed || carried { return nil }
            total = sum
        }
        return total
    }

    /// As Prometheus prints it: the coarsest units without remainder, `0s` for none; a minus before a negative one.
    package static func format(milliseconds: Int64) -> String {
        if milliseconds == 0 { return "0s" }
        var left = milliseconds.magnitude
        var text = milliseconds < 0 ? "-" : ""
        for unit in units {
            let size = unit.milliseconds.magnitude
            // Years and weeks appear only where nothing is left over: 8d is clearer than 1w1d.
            if (unit.name == "y" || unit.name == "w") && left % size != 0 { continue }
            let count = left / size
            if count > 0 {
                text += "\(count)\(unit.name)"
                left %= size
            }
        }
        return text
    }
}
