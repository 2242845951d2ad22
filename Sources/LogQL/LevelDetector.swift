package import Telemetry

/// Finds out how severe a line is, as Loki does for lines that come without a level (its distributor's field detection).
package enum LevelDetector {
    package static let label = "detected_level"
    private static let unknown = "unknown"

    /// The names of labels and fields that hold a level, by rank (Loki, `log_level_fields`).
    private static let names = ScanRequest.levelFieldNames
    private static let nameBytes = names.map { Array($0.utf8) }
    private static let lowercasedNameBytes = names.map { Array($0.lowercased().utf8) }

    private static let levels: [String: String] = [
        "trace": "trace", "trc": "trace", "debug": "debug", "dbg": "debug", "info": "info", "inf": "info", "information": "info",
        "warn": "warn", "wrn": "warn", "warning": "warn", "error": "error", "err": "error", "critical": "critical", "fatal": "fatal",
    ]

    /// How far into JSON objects a level is looked for (Loki, `log_level_from_json_max_depth`).
    private static let depthMax = 2

    package static func level(stream: Labels, metadata: Labels, line: ArraySlice<UInt8>) -> String {
        if let value = metadata[label] { return normalized(value) }
        for labels in [stream, metadata] where !labels.isEmpty {
            for name in names {
                if let value = labels[name] { return normalized(value) }
            }
        }
        if let number = metadata["severity_number"] { return level(severityNumber: number) }
        return level(line: line)
    }

    /// A known level by its common name; anything else as it is.
    private static func normalized(_ level: String) -> String {
        level.utf8.count <= 11 ? levels[level.lowercased()] ?? level : level
    }

    /// The level that a stream's labels tell of all its lines; nil where each line has its own.
    static func level(stream: Labels) -> String? {
        for name in names {
            if let value = stream[name] { return normalized(value) }
        }
        return nil
    }

    /// The level that a field's value stands for; nil where the rest of the line decides.
    static func level(field value: String) -> String? { levels[value.lowercased()] }

    /// OpenTelemetry's severity numbers come in groups of four.
    private static func level(severityNumber text: String) -> String {
        guard let number = Int(text) else { return "info" }
        switch number {
        case ...0: return number == 0 ? unknown : "trace"
        case 1...4: return "trace"
        case 5...8: return "debug"
        case 9...12: return "info"
        case 13...16: return "warn"
        case 17...20: return "error"
        case 21...24: return "fatal"
        default: return unknown
        }
    }

    private static func level(line: ArraySlice<UInt8>) -> String {
        if isJSON(line) {
            var scanner = JSONScanner(line)
            if let value = field(&scanner, depth: 0) ?? nil, let level = levels[value.lowercased()] { return level }
        } else if line.contains(UInt8(ascii: "=")) {
            if let value = logfmtField(line), let level = levels[value.lowercased()] { return level }
        }
        return LevelWords.first(in: line) ?? unknown
    }

    private static func isJSON(_ line: ArraySlice<UInt8>) -> Bool {
        guard let first = line.first(where: { !isSpace($0) }), first == UInt8(ascii: "{") else { return false }
        return line.last(where: { !isSpace($0) }) == UInt8(ascii: "}")
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (9...13).contains(byte) }

    /// The first string field named like a level in an object and the objects in it. The outer nil: the text is broken here, so that nothing
    /// more is looked for.
    private static func field(_ scanner: inout JSONScanner, depth: Int) -> String?? {
        do throws(JSONFault) {
            scanner.skipBlanks()
            try scanner.expect(UInt8(ascii: "{"))
            scanner.skipBlanks()
            if scanner.byte == UInt8(ascii: "}") {
                scanner.advance()
                return .some(nil)
            }
            while true {
                scanner.skipBlanks()
                let (range, _) = try scanner.string()
                scanner.skipBlanks()
                try scanner.expect(UInt8(ascii: ":"))
                scanner.skipBlanks()
                switch scanner.byte {
                case UInt8(ascii: "\""):
                    let (value, isEscaped) = try scanner.string()
                    let key = scanner.slice(range)
                    // All names are 3 to 13 bytes long.
                    if (3...13).contains(key.count), nameBytes.contains(where: { $0.elementsEqual(key) }) {
                        return .some(scanner.text(value, isEscaped: isEscaped))
                    }
                case UInt8(ascii: "{") where depth + 1 < depthMax:
                    guard let found = field(&scanner, depth: depth + 1) else { return nil }
                    if let found { return .some(found) }
                default: _ = try scanner.skipValue()
                }
                scanner.skipBlanks()
                guard scanner.byte == UInt8(ascii: ",") else { break }
                scanner.advance()
            }
            try scanner.expect(UInt8(ascii: "}"))
            return .some(nil)
        } catch {
            return nil
        }
    }

    /// The value of the key that ranks first, whatever its case.
    private static func logfmtField(_ line: ArraySlice<UInt8>) -> String? {
        var reader = LogfmtReader(line)
        var best: (rank: Int, value: String)?
        while let pair = reader.next() {
            let key = line[pair.key]
            guard (3...13).contains(key.count) else { continue }
            for rank in lowercasedNameBytes.indices where rank < best?.rank ?? .max {
                let name = lowercasedNameBytes[rank]
                guard name.count == key.count, zip(name, key).allSatisfy({ $0 == ($1 | ((0x41...0x5a).contains($1) ? 0x20 : 0)) }) else { continue }
                best = (rank, reader.text(pair))
                break
            }
            if best?.rank == 0 { break }
        }
        return best?.value
    }
}

/// Looks for the words that tell of a level in a text: the first one that stands for itself decides.
enum LevelWords {
    private static let words: [(word: [UInt8], level: String)] = [
        ("trace", "trace"), ("debug", "debug"), ("fatal", "fatal"), ("critical", "critical"), ("error", "error"), ("err", "error"),
        ("warning", "warn"), ("warn", "warn"), ("info", "info"),
    ].map { (Array($0.0.utf8), $0.1) }

    static func first(in line: ArraySlice<UInt8>) -> String? {
        line.withUnsafeBufferPointer { bytes in
            var index = 0
            while index < bytes.count {
                // Only behind one of these a word begins that counts.
                if index == 0 || isLeftBoundary(bytes[index - 1]), mayBegin(bytes[index]) {
                    for (word, level) in words where index + word.count <= bytes.count {
                        var position = 0
                        while position < word.count, bytes[index + position] | 0x20 == word[position] { position += 1 }
                        guard position == word.count else { continue }
                        let end = index + word.count
                        if end == bytes.count || isRightBoundary(bytes[end]) { return level }
                    }
                }
                index += 1
            }
            return nil
        }
    }

    private static func mayBegin(_ byte: UInt8) -> Bool {
        switch byte | 0x20 {
        case UInt8(ascii: "t"), UInt8(ascii: "d"), UInt8(ascii: "f"), UInt8(ascii: "c"), UInt8(ascii: "e"), UInt8(ascii: "w"), UInt8(ascii: "i"):
            true
        default: false
        }
    }

    private static func isLeftBoundary(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0a, UInt8(ascii: "["), UInt8(ascii: "("), UInt8(ascii: "{"), UInt8(ascii: "\""), UInt8(ascii: "'"),
            UInt8(ascii: "="), UInt8(ascii: "|"):
            true
        default: false
        }
    }

    private static func isRightBoundary(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0a, UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "{"),
            UInt8(ascii: "}"), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "!"), UInt8(ascii: "\""), UInt8(ascii: "'"),
            UInt8(ascii: "="), UInt8(ascii: "|"):
            true
        default: false
        }
    }
}
