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

    /// A field named like a level first (`"level":"info"`, `level=info`), else the first word that is one.
    private static func level(line: ArraySlice<UInt8>) -> String {
        var firstWord: String?
        var fieldName: String?
        var index = line.startIndex
        let end = min(line.endIndex, line.startIndex + byteCountMax)
        while index < end {
            guard isWord(line[index]) else {
                // Only `":` and `=` (with quotes and blanks) join a name and its value.
                if fieldName != nil, !"\"': =".utf8.contains(line[index]) { fieldName = nil }
                index += 1
                continue
            }
            let start = index
            while index < end, isWord(line[index]) { index += 1 }
            let length = index - start
            guard length <= 12 else {
                fieldName = nil
                continue
            }
            let word = String(decoding: line[start..<index], as: UTF8.self)
            if fieldName != nil, let level = levels[word.lowercased()] { return level }
            let isName =
                index < end && (line[index] == UInt8(ascii: "=") || line[index] == UInt8(ascii: "\"") || line[index] == UInt8(ascii: ":"))
            fieldName = isName && names.contains(word) ? word : nil
            if firstWord == nil, let level = levels[word.lowercased()], !isName || line[index] == UInt8(ascii: ":") { firstWord = level }
        }
        return firstWord ?? unknown
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ".")
    }
}
