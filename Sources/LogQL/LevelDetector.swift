package import Telemetry

/// Finds out how severe a line is, as Loki does for lines that come without a level.
package enum LevelDetector {
    package static let label = "detected_level"
    private static let unknown = "unknown"

    private static let names: Set<String> = [
        "level", "LEVEL", "Level", "log.level", "log_level", "severity", "SEVERITY", "Severity", "SeverityText", "severity_text",
        "lvl", "LVL", "Lvl", "loglevel",
    ]

    private static let levels: [String: String] = [
        "trace": "trace", "trc": "trace", "debug": "debug", "dbg": "debug", "info": "info", "inf": "info", "information": "info",
        "warn": "warn", "wrn": "warn", "warning": "warn", "error": "error", "err": "error", "eror": "error", "critical": "critical",
        "crit": "critical", "fatal": "fatal", "panic": "fatal", "dpanic": "fatal",
    ]

    /// How far into a line it looks: levels stand near the beginning.
    private static let byteCountMax = 1_024

    package static func level(stream: Labels, metadata: Labels, line: ArraySlice<UInt8>) -> String {
        for labels in [metadata, stream] {
            if let number = labels["severity_number"].flatMap({ Int($0) }), let level = level(severityNumber: number) { return level }
            for pair in labels.pairs where names.contains(pair.name) {
                return levels[pair.value.lowercased()] ?? pair.value.lowercased()
            }
        }
        return level(line: line)
    }

    /// OpenTelemetry's severity numbers come in groups of four.
    private static func level(severityNumber: Int) -> String? {
        switch severityNumber {
        case 1...4: "trace"
        case 5...8: "debug"
        case 9...12: "info"
        case 13...16: "warn"
        case 17...20: "error"
        case 21...24: "fatal"
        default: nil
        }
    }

    /// A field named like a level first (`"level":"info"`, `level=info`), else the gravest by ``words`` of the words in the line.
    private static func level(line: ArraySlice<UInt8>) -> String {
        line.prefix(byteCountMax).withUnsafeBufferPointer { bytes in
            var best = words.count
            var isAfterName = false
            var index = 0
            while index < bytes.count {
                guard isWord(bytes[index]) else {
                    // Only `":` and `=` (with quotes and blanks) join a name and its value.
                    if isAfterName, !isJoint(bytes[index]) { isAfterName = false }
                    index += 1
                    continue
                }
                let start = index
                while index < bytes.count, isWord(bytes[index]) { index += 1 }
                // Most words are told apart by their first letter and their length.
                guard index - start <= 12, mayMatter(bytes[start]) else {
                    isAfterName = false
                    continue
                }
                let word = String(decoding: bytes[start..<index], as: UTF8.self)
                let lowercased = word.lowercased()
                if isAfterName, let level = levels[lowercased] { return level }
                if let rank = words.firstIndex(where: { $0.word == lowercased }) { best = min(best, rank) }
                let next = index < bytes.count ? bytes[index] : 0
                let isName = next == UInt8(ascii: "=") || next == UInt8(ascii: "\"") || next == UInt8(ascii: ":")
                isAfterName = isName && names.contains(word)
            }
            return best < words.count ? words[best].level : unknown
        }
    }

    /// The words that tell of a level outside a field, in Loki's order: the first one that the line holds decides.
    private static let words: [(word: String, level: String)] = [
        ("trace", "trace"), ("debug", "debug"), ("fatal", "fatal"), ("critical", "critical"), ("error", "error"), ("err", "error"),
        ("warning", "warn"), ("warn", "warn"), ("info", "info"),
    ]

    /// Levels and the names of their fields begin with one of these letters.
    private static func mayMatter(_ byte: UInt8) -> Bool {
        switch byte | 0x20 {
        case UInt8(ascii: "t"), UInt8(ascii: "d"), UInt8(ascii: "i"), UInt8(ascii: "w"), UInt8(ascii: "e"), UInt8(ascii: "c"),
            UInt8(ascii: "f"),
            UInt8(ascii: "p"), UInt8(ascii: "l"), UInt8(ascii: "s"):
            true
        default: false
        }
    }

    private static func isJoint(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: " ")
            || byte == UInt8(ascii: "=")
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }
}
