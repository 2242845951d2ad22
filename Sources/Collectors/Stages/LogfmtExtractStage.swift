import Settings

/// `logfmt`: values of `key=value` pairs.
struct LogfmtExtractStage: Stage {
    /// What each key is called, once found.
    private let names: [String: String]
    private let source: String?

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["mapping", "source"], &context)
        var names: [String: String] = [:]
        for (key, value) in try fields.required("mapping").pairs {
            let name = try key.string
            let field = try value.string
            names[field.isEmpty ? name : field] = name
        }
        guard !names.isEmpty else { throw fields.place.error("logfmt mapping is required") }
        self.names = names
        source = try fields.source()
    }

    mutating func process(_ entry: inout StageEntry, _: inout StageRun) -> Bool {
        guard let text = entry.text(of: source) else { return true }
        var decoder = LogfmtDecoder(Array(text.utf8))
        while let (key, value) = decoder.next() {
            if let name = names[key] { entry.extracted[name] = .string(value) }
        }
        return true
    }
}

/// The pairs of a logfmt text, as go-logfmt reads them; ends at the first mistake.
struct LogfmtDecoder {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The next pair; a key without a value has an empty one.
    mutating func next() -> (key: String, value: String)? {
        while index < bytes.count, bytes[index] <= 0x20 { index += 1 }
        guard index < bytes.count else { return nil }
        let start = index
        while index < bytes.count, bytes[index] > 0x20, bytes[index] != UInt8(ascii: "="), bytes[index] != UInt8(ascii: "\"") { index += 1 }
        let key = String(decoding: bytes[start..<index], as: UTF8.self)
        guard index < bytes.count, bytes[index] > 0x20 else { return (key, "") }
        guard bytes[index] == UInt8(ascii: "="), index > start else { return fail() }
        index += 1
        guard index < bytes.count, bytes[index] > 0x20 else { return (key, "") }
        return bytes[index] == UInt8(ascii: "\"") ? quoted(key) : plain(key)
    }

    private mutating func plain(_ key: String) -> (key: String, value: String)? {
        let start = index
        while index < bytes.count, bytes[index] > 0x20 {
            if bytes[index] == UInt8(ascii: "=") || bytes[index] == UInt8(ascii: "\"") { return fail() }
            index += 1
        }
        return (key, String(decoding: bytes[start..<index], as: UTF8.self))
    }

    private mutating func quoted(_ key: String) -> (key: String, value: String)? {
        let start = index + 1
        index = start
        var isEscaped = false
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            if bytes[index] == UInt8(ascii: "\\") {
                isEscaped = true
                index += 1
            }
            index += 1
        }
        guard index < bytes.count else { return fail() }
        let range = start..<index
        index += 1
        guard isEscaped else { return (key, String(decoding: bytes[range], as: UTF8.self)) }
        guard let text = JSONText.unquoted(bytes[range]) else { return fail() }
        return (key, text)
    }

    private mutating func fail() -> (key: String, value: String)? {
        index = bytes.count
        return nil
    }
}
