import Settings
import Telemetry

/// `eventlogmessage`: the `Key: value` lines of a Windows event's message.
struct EventLogMessageStage: Stage {
    private let source: String
    private let dropsInvalidNames: Bool
    private let overwrites: Bool

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["source", "drop_invalid_labels", "overwrite_existing"], &context)
        if let node = fields["source"] {
            source = try GoText.labelName(node)
        } else {
            source = "message"
        }
        dropsInvalidNames = try fields.bool("drop_invalid_labels")
        overwrites = try fields.bool("overwrite_existing")
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        guard let text = entry.extracted[source]?.text else { return true }
        for line in text.split(separator: "\r\n", omittingEmptySubsequences: false) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            var name = String(line[..<colon])
            if !name.isLabelIdentifier {
                if dropsInvalidNames { continue }
                name = Self.sanitized(name)
            }
            if entry.extracted[name] != nil, !overwrites { name += "_extracted" }
            entry.extracted[name] = .string(line[line.index(after: colon)...].trimmedBlanks)
        }
        return true
    }

    /// What is no letter, digit or `_` becomes `_`.
    private static func sanitized(_ name: String) -> String {
        guard !name.isEmpty else { return "_" }
        var result = ""
        for (index, scalar) in name.unicodeScalars.enumerated() {
            let isDigit = ("0"..."9").contains(scalar)
            let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
            result.unicodeScalars.append(isLetter || (isDigit && index > 0) ? scalar : "_")
        }
        return result
    }
}

extension Swift.Substring {
    /// Without white space at both ends.
    fileprivate var trimmedBlanks: String {
        var rest = drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
