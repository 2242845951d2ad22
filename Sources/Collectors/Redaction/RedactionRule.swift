import Patterns
package import Settings
import Templates

/// What must not be stored as it came: an expression, and what stands in its place.
package struct RedactionRule: Sendable {
    package var name: String
    let expression: Pattern
    /// In Go's notation: `$1` is what the first group matched.
    let replacement: String
    /// A byte that every match holds: a text without it is not searched.
    let needle: UInt8?
    /// Whether what the expression matches really is what it looks like.
    let accepts: (@Sendable (ArraySlice<UInt8>) -> Bool)?

    init(
        name: String, expression: Pattern, replacement: String? = nil, needle: UInt8? = nil,
        accepts: (@Sendable (ArraySlice<UInt8>) -> Bool)? = nil
    ) {
        self.name = name
        self.expression = expression
        self.replacement = replacement ?? "<redacted:\(name)>"
        self.needle = needle
        self.accepts = accepts
    }

    /// Reads the list `redact` of an `apus.yaml`: names of known patterns, or `{name, regex, replace}`.
    package static func read(_ node: ConfigurationNode) throws(ConfigurationError) -> [RedactionRule] {
        var rules: [RedactionRule] = []
        for item in try node.list {
            if case .scalar = item.content {
                rules += try named(item)
                continue
            }
            let mapping = try item.mapping(["name", "regex", "replace"])
            let expression = try mapping.required("regex")
            let name = try mapping.required("name").nonEmptyString
            var replacement: String?
            // An empty replacement is one: what was found just goes.
            if mapping.key("replace") != nil { replacement = try mapping["replace"]?.string ?? "" }
            let pattern = try GoText.pattern(expression)
            guard try !expression.string.isEmpty, !pattern.matchesPart("") else {
                throw expression.error("the expression \(pattern.text.debugDescription) matches an empty text: it would match everywhere")
            }
            rules.append(RedactionRule(name: name, expression: pattern, replacement: replacement))
        }
        return rules
    }

    private static func named(_ node: ConfigurationNode) throws(ConfigurationError) -> [RedactionRule] {
        let name = try node.choice(KnownPatterns.all.keys.sorted())
        do {
            return try KnownPatterns.all[name]?() ?? []
        } catch {
            throw node.error("\(error)")
        }
    }
}

/// The patterns that `redact` knows by name.
enum KnownPatterns {
    static let all: [String: @Sendable () throws -> [RedactionRule]] = [
        "email": {
            [try rule("email", #"[A-Za-z0-9._%+\-]+@[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?)+"#, "@")]
        },
        "card_number": {
            [
                RedactionRule(
                    name: "card_number", expression: try Pattern(#"[0-9](?:[ \-]?[0-9]){12,18}"#), accepts: { CardNumber.isOne($0) })
            ]
        },
        // The scheme stays, so that the line can still be read.
        "bearer_token": {
            [
                RedactionRule(
                    name: "bearer_token", expression: try Pattern(#"(?i)\b(bearer)[ :=]+[A-Za-z0-9\-._~+/]{8,}=*"#),
                    replacement: "$1 <redacted:bearer_token>")
            ]
        },
        "basic_auth": {
            [
                RedactionRule(
                    name: "basic_auth", expression: try Pattern(#"(?i)\b(basic) +[A-Za-z0-9+/]{8,}=*"#),
                    replacement: "$1 <redacted:basic_auth>")
            ]
        },
        "url_password": {
            [
                RedactionRule(
                    name: "url_password", expression: try Pattern(#"(://[^/\s:@"']+:)[^/\s@"']+@"#),
                    replacement: "$1<redacted:url_password>@", needle: UInt8(ascii: "@"))
            ]
        },
        "jwt": { [try rule("jwt", #"\beyJ[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]{5,}\.[A-Za-z0-9_\-]*"#, ".")] },
        "aws_access_key": { [try rule("aws_access_key", #"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"#, "A")] },
        "ipv4": { [try ipv4()] },
        "ipv6": { [try ipv6()] },
        "ip": { [try ipv4(), try ipv6()] },
    ]

    private static func rule(_ name: String, _ expression: String, _ needle: Unicode.Scalar) throws -> RedactionRule {
        RedactionRule(name: name, expression: try Pattern(expression), needle: UInt8(ascii: needle))
    }

    private static func ipv4() throws -> RedactionRule {
        RedactionRule(
            name: "ipv4", expression: try Pattern(#"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b"#), needle: UInt8(ascii: "."),
            accepts: { IPAddress.bytes(String(decoding: $0, as: UTF8.self))?.count == 4 })
    }

    private static func ipv6() throws -> RedactionRule {
        RedactionRule(
            name: "ipv6", expression: try Pattern("(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}"), needle: UInt8(ascii: ":"),
            // `::` alone is no secret, and stands in many a line.
            accepts: { $0.count > 2 && IPAddress.bytes(String(decoding: $0, as: UTF8.self)) != nil })
    }
}

/// Numbers of payment cards.
enum CardNumber {
    /// Whether digits, perhaps grouped by blanks or hyphens, have a card's first digit, length and check digit (ISO/IEC 7812, Luhn).
    static func isOne(_ bytes: ArraySlice<UInt8>) -> Bool {
        let digits = bytes.filter { (0x30...0x39).contains($0) }.map { Int($0 - 0x30) }
        guard (13...19).contains(digits.count), let first = digits.first, (2...6).contains(first) else { return false }
        var sum = 0
        for (index, digit) in digits.reversed().enumerated() {
            let weighted = index % 2 == 1 ? digit * 2 : digit
            sum += weighted > 9 ? weighted - 9 : weighted
        }
        return sum % 10 == 0
    }
}
