import Foundation

/// `printf` with Go's verbs.
enum GoFormat {
    static func text(_ format: String, _ arguments: [TemplateValue]) -> String {
        var result = ""
        var rest = arguments[...]
        let scalars = Array(format.unicodeScalars)
        var index = 0
        while index < scalars.count {
            guard scalars[index] == "%" else {
                result.unicodeScalars.append(scalars[index])
                index += 1
                continue
            }
            index += 1
            var flags = ""
            while index < scalars.count, "-+# 0".unicodeScalars.contains(scalars[index]) {
                flags.unicodeScalars.append(scalars[index])
                index += 1
            }
            func digits() -> Int? {
                var text = ""
                while index < scalars.count, ("0"..."9").contains(scalars[index]), text.count < 4 {
                    text.unicodeScalars.append(scalars[index])
                    index += 1
                }
                return Int(text)
            }
            let width = digits() ?? 0
            var precision: Int?
            if index < scalars.count, scalars[index] == "." {
                index += 1
                precision = digits() ?? 0
            }
            guard index < scalars.count else {
                result += "%!(NOVERB)"
                break
            }
            let verb = scalars[index]
            index += 1
            if verb == "%" {
                result += "%"
                continue
            }
            guard let argument = rest.popFirst() else {
                result += "%!\(verb)(MISSING)"
                continue
            }
            result += padded(formatted(argument, verb, flags, precision), width, flags)
        }
        return result
    }

    private static func formatted(_ value: TemplateValue, _ verb: Unicode.Scalar, _ flags: String, _ precision: Int?) -> String {
        switch verb {
        case "d": return signed(String(value.int), flags)
        case "f", "F": return signed(String(format: "%.\(min(precision ?? 6, 100))f", value.double), flags)
        case "e": return signed(String(format: "%.\(min(precision ?? 6, 100))e", value.double), flags)
        case "g": return signed(precision.map { String(format: "%.\(min($0, 100))g", value.double) } ?? GoNumber.text(value.double), flags)
        case "x", "X":
            if case .string(let text) = value {
                return text.utf8.map { String(format: verb == "x" ? "%02x" : "%02X", Int($0)) }.joined()
            }
            return String(value.int, radix: 16, uppercase: verb == "X")
        case "o": return String(value.int, radix: 8)
        case "b": return String(value.int, radix: 2)
        case "c": return UInt32(exactly: value.int).flatMap(Unicode.Scalar.init).map { String(Character($0)) } ?? ""
        case "q": return value.text.debugDescription
        case "t": return value.text
        case "s", "v": return precision.map { String(value.text.prefix($0)) } ?? value.text
        default: return "%!\(verb)(\(value.text))"
        }
    }

    private static func signed(_ text: String, _ flags: String) -> String {
        flags.contains("+") && !text.hasPrefix("-") ? "+" + text : text
    }

    private static func padded(_ text: String, _ width: Int, _ flags: String) -> String {
        guard text.count < width else { return text }
        let missing = width - text.count
        if flags.contains("-") { return text + String(repeating: " ", count: missing) }
        guard flags.contains("0") else { return String(repeating: " ", count: missing) + text }
        let sign = text.hasPrefix("-") || text.hasPrefix("+") ? String(text.prefix(1)) : ""
        return sign + String(repeating: "0", count: missing) + text.dropFirst(sign.count)
    }
}
