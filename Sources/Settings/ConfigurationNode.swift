/// A value of a YAML file together with its place, so that whoever reads it can say where it is wrong.
///
/// Readers ask for the type they need (``string``, ``int``, ``duration``, ``list``, ``mapping(_:)``); a value of another kind
/// throws a ``ConfigurationError`` with the place. A value left empty (`key:` or `null`) counts as absent.
package struct ConfigurationNode: Sendable {
    package enum Content: Sendable {
        case null
        /// The text of a scalar, whatever type YAML would give it.
        case scalar(String)
        case list([ConfigurationNode])
        /// In the order of the file; keys are unique. Merge keys (`<<`) are resolved.
        case mapping([(key: ConfigurationNode, value: ConfigurationNode)])
    }

    package let content: Content
    package let file: String
    /// Line and column from 1.
    package let line: Int
    package let column: Int
    /// Where it stands in the tree: `scrape_configs[0].job_name`; empty for the root.
    package let path: String

    package init(content: Content, file: String, line: Int, column: Int, path: String) {
        self.content = content
        self.file = file
        self.line = line
        self.column = column
        self.path = path
    }

    /// An error at this place.
    package func error(_ message: String) -> ConfigurationError {
        ConfigurationError(file: file, line: line, column: column, message: message)
    }

    /// A warning at this place.
    package func warning(_ message: String) -> ConfigurationWarning {
        ConfigurationWarning(file: file, line: line, column: column, message: message)
    }

    /// Whether the value was left empty.
    package var isNull: Bool {
        if case .null = content { return true }
        return false
    }

    /// The value's text; numbers and booleans as they are written, an empty value as "".
    package var string: String {
        get throws(ConfigurationError) {
            switch content {
            case .scalar(let text): text
            case .null: ""
            case .list, .mapping: throw unexpected("a string")
            }
        }
    }

    /// The value's text where it is not empty.
    package var nonEmptyString: String {
        get throws(ConfigurationError) {
            let text = try string
            guard !text.isEmpty else { throw error("\(name) must not be empty") }
            return text
        }
    }

    package var int: Int {
        get throws(ConfigurationError) {
            guard case .scalar(let text) = content, let value = Int(text.filter { $0 != "_" }) else {
                throw unexpected("a whole number")
            }
            return value
        }
    }

    package var double: Double {
        get throws(ConfigurationError) {
            guard case .scalar(let text) = content, let value = Double(text) else { throw unexpected("a number") }
            return value
        }
    }

    /// `true` or `false`, and the other words of YAML 1.1 that Prometheus takes (yes, no, on, off).
    package var bool: Bool {
        get throws(ConfigurationError) {
            guard case .scalar(let text) = content else { throw unexpected("true or false") }
            switch text.lowercased() {
            case "true", "yes", "on", "y": return true
            case "false", "no", "off", "n": return false
            default: throw unexpected("true or false")
            }
        }
    }

    /// A duration in Prometheus' notation: `1h30m`, `500ms`, `0`.
    package var duration: Duration {
        get throws(ConfigurationError) {
            guard case .scalar(let text) = content, let value = DurationText.parse(text) else {
                throw unexpected("a duration such as 30s, 5m, 1h30m or 500ms")
            }
            return value
        }
    }

    /// A number of bytes: `512KB`, `10MiB`, `1048576`. As in Prometheus KB and KiB both are 1024 bytes.
    package var byteCount: Int {
        get throws(ConfigurationError) {
            guard case .scalar(let text) = content, let value = ByteCountText.parse(text) else {
                throw unexpected("a number of bytes such as 512KB, 10MB or 1GB")
            }
            return value
        }
    }

    /// The items; an empty value is an empty list.
    package var list: [ConfigurationNode] {
        get throws(ConfigurationError) {
            switch content {
            case .list(let items): items
            case .null: []
            case .scalar, .mapping: throw unexpected("a list")
            }
        }
    }

    /// A list of strings.
    package var strings: [String] {
        get throws(ConfigurationError) {
            var strings: [String] = []
            for item in try list { strings.append(try item.string) }
            return strings
        }
    }

    /// A mapping with keys of any name: label sets, query parameters.
    package var pairs: [(key: ConfigurationNode, value: ConfigurationNode)] {
        get throws(ConfigurationError) {
            switch content {
            case .mapping(let pairs): pairs
            case .null: []
            case .scalar, .list: throw unexpected("a mapping")
            }
        }
    }

    /// A mapping from strings to strings.
    package var stringPairs: [(name: String, value: String)] {
        get throws(ConfigurationError) {
            var result: [(name: String, value: String)] = []
            for (key, value) in try pairs { result.append((try key.string, try value.string)) }
            return result
        }
    }

    /// One of a few words.
    package func choice(_ words: [String]) throws(ConfigurationError) -> String {
        let text = try string
        guard words.contains(text) else {
            throw error(unknown(text, in: words, as: "\(name) has the unknown value"))
        }
        return text
    }

    /// A mapping of which only `known` keys are legal.
    ///
    /// - Throws: an error at the first key that is not, with the nearest one that is.
    package func mapping(_ known: [String]) throws(ConfigurationError) -> ConfigurationMapping {
        let mapping = ConfigurationMapping(node: self, pairs: try pairs)
        if let first = unknownKeys(of: mapping, known: known).first { throw first }
        return mapping
    }

    /// The same, for a reader that collects every error of a file.
    package func mapping(_ known: [String], errors: inout [ConfigurationError]) -> ConfigurationMapping {
        do throws(ConfigurationError) {
            let mapping = ConfigurationMapping(node: self, pairs: try pairs)
            errors += unknownKeys(of: mapping, known: known)
            return mapping
        } catch {
            errors.append(error)
            return ConfigurationMapping(node: self, pairs: [])
        }
    }

    /// How the value is called in a message: the last part of its path.
    package var name: String { path.isEmpty ? "the file" : path }

    /// The error for a value of another kind than `expected`.
    package func unexpected(_ expected: String) -> ConfigurationError {
        let found =
            switch content {
            case .null: "nothing"
            case .scalar(let text): text.debugDescription
            case .list: "a list"
            case .mapping: "a mapping"
            }
        return error("\(name): found \(found), expected \(expected)")
    }

    private func unknownKeys(of mapping: ConfigurationMapping, known: [String]) -> [ConfigurationError] {
        mapping.pairs.compactMap { key, _ in
            guard case .scalar(let text) = key.content, known.contains(text) else {
                let text = if case .scalar(let text) = key.content { text } else { "" }
                let place = path.isEmpty ? "unknown key" : "unknown key in \(path):"
                return key.error(unknown(text, in: known, as: place))
            }
            return nil
        }
    }

    private func unknown(_ text: String, in known: [String], as what: String) -> String {
        let nearest = NearestWord.of(text, among: known).map { "; did you mean \($0.debugDescription)?" }
        return "\(what) \(text.debugDescription)" + (nearest ?? "; known are \(known.sorted().joined(separator: ", "))")
    }
}

/// A mapping whose keys have been checked.
package struct ConfigurationMapping: Sendable {
    package let node: ConfigurationNode
    package let pairs: [(key: ConfigurationNode, value: ConfigurationNode)]

    /// The value of `key`; nil where it is absent or empty.
    package subscript(key: String) -> ConfigurationNode? {
        for pair in pairs {
            if case .scalar(key) = pair.key.content { return pair.value.isNull ? nil : pair.value }
        }
        return nil
    }

    /// The key itself, for its place, even where its value is empty.
    package func key(_ name: String) -> ConfigurationNode? {
        for pair in pairs {
            if case .scalar(name) = pair.key.content { return pair.key }
        }
        return nil
    }

    /// The value of a key that must be there.
    package func required(_ key: String) throws(ConfigurationError) -> ConfigurationNode {
        guard let value = self[key] else {
            throw node.error(node.path.isEmpty ? "\(key) is missing" : "\(node.path): \(key) is missing")
        }
        return value
    }

    /// A warning for each of `keys` that is there: the peer acts on it, Apus does not yet.
    package func warnings(notActedOn keys: [String]) -> [ConfigurationWarning] {
        pairs.compactMap { key, _ in
            guard case .scalar(let text) = key.content, keys.contains(text) else { return nil }
            return key.warning("\(key.path) is known, but Apus does not act on it yet")
        }
    }
}
