import Patterns
import Settings
import Telemetry
import Templates

/// Values as Go's libraries read them.
enum GoText {
    /// A duration: Go's notation, or Prometheus'.
    static func nanoseconds(_ text: String) -> Int64? {
        GoDuration.parse(text, allowsDays: true)
    }

    /// A size (Loki, `flagext.ByteSize`: c2h5oh/datasize): K, M and G are powers of 1024, in either case.
    static func byteCount(_ text: String) -> Int? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        guard let count = Int(digits) else { return nil }
        var unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        if unit.hasSuffix("b") { unit.removeLast() }
        if unit.hasSuffix("i") { unit.removeLast() }
        let powers = ["": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5]
        guard let power = powers[unit] else { return nil }
        let (bytes, overflows) = count.multipliedReportingOverflow(by: 1 << (10 * power))
        return overflows ? nil : bytes
    }

    /// A regular expression of the configuration, with the place of what is wrong with it.
    static func pattern(_ node: ConfigurationNode) throws(ConfigurationError) -> Pattern {
        let text = try node.string
        do {
            return try Pattern(text)
        } catch {
            throw node.error("could not compile regular expression: \(error)")
        }
    }

    /// Whether it is a label name of Prometheus' old kind: `[a-zA-Z_][a-zA-Z0-9_]*`.
    static func labelName(_ key: ConfigurationNode) throws(ConfigurationError) -> String {
        let name = try key.string
        guard name.isLabelIdentifier else { throw key.error("invalid label name: \(name.debugDescription)") }
        return name
    }
}
