import Telemetry

/// The labels that say what went wrong with a line.
enum ErrorLabel {
    static let prefix = "__error"
    static let name = "__error__"
    static let detailsName = "__error_details__"

    static let json = "JSONParserErr"
    static let logfmt = "LogfmtParserErr"
    static let labelFilter = "LabelFilterErr"
    static let template = "TemplateFormatErr"
    static let sampleExtraction = "SampleExtractionErr"
}

/// The labels of one line on its way through a pipeline: those of its stream, its structured metadata, and those that stages
/// made. A value is reused for all lines of a block, so that its arrays keep their memory.
struct RowLabels {
    private var stream: Labels = .empty
    private var metadata: Labels = .empty
    /// Made by stages, each name once. An empty value hides the name.
    private var own: [Label] = []
    /// Names of ``stream`` and ``metadata`` that a stage took away.
    private var hidden: [String] = []
    /// The line as it was stored: what the level is found in.
    private var original: ArraySlice<UInt8> = []
    private(set) var error: String?
    private(set) var errorDetails: String?
    /// Whether lines get ``LevelDetector/label`` where they lack it.
    let detectsLevel: Bool

    init(detectsLevel: Bool) {
        self.detectsLevel = detectsLevel
    }

    mutating func reset(stream: Labels, metadata: Labels, line: ArraySlice<UInt8>) {
        self.stream = stream
        original = line
        own.removeAll(keepingCapacity: true)
        hidden.removeAll(keepingCapacity: true)
        error = nil
        errorDetails = nil
        self.metadata = metadata.isEmpty ? metadata : withoutConflicts(metadata)
    }

    /// Structured metadata never replaces a label of the stream; what it says of errors is one.
    private mutating func withoutConflicts(_ metadata: Labels) -> Labels {
        guard metadata.pairs.contains(where: { stream[$0.name] != nil || $0.name.hasPrefix(ErrorLabel.prefix) }) else { return metadata }
        var pairs: [Label] = []
        for pair in metadata.pairs {
            switch pair.name {
            case ErrorLabel.name: error = pair.value
            case ErrorLabel.detailsName: errorDetails = pair.value
            default: pairs.append(stream[pair.name] == nil ? pair : Label(pair.name + Self.conflictSuffix, pair.value))
            }
        }
        return Labels(pairs)
    }

    /// The value of `name`, "" where there is none.
    func value(_ name: String) -> String {
        if name == ErrorLabel.name { return error ?? "" }
        if name == ErrorLabel.detailsName { return errorDetails ?? "" }
        for label in own where label.name == name { return label.value }
        if hidden.contains(name) { return "" }
        if let value = metadata[name] ?? stream[name] { return value }
        return name == LevelDetector.label && detectsLevel ? level : ""
    }

    func contains(_ name: String) -> Bool { !value(name).isEmpty }

    private var level: String {
        LevelDetector.level(stream: stream, metadata: metadata, line: original)
    }

    /// What a parser names its finding `name`: labels of the stream and structured metadata are never replaced.
    func parsedName(_ name: String) -> String {
        hasConflict(name) ? name + Self.conflictSuffix : name
    }

    static let conflictSuffix = "_extracted"

    /// The stream or structured metadata has a label of that name.
    func hasConflict(_ name: String) -> Bool {
        stream[name] != nil || (metadata[name] != nil && !hidden.contains(name))
    }

    /// Sets a label, whatever had that name.
    mutating func set(_ name: String, _ value: String) {
        if name == ErrorLabel.name {
            error = value.isEmpty ? nil : value
            return
        }
        for index in own.indices where own[index].name == name {
            own[index].value = value
            return
        }
        own.append(Label(name, value))
    }

    /// Whether a stage made a label of that name.
    func hasOwn(_ name: String) -> Bool {
        for label in own where label.name == name { return true }
        return false
    }

    /// How many labels stages made so far, and back to that.
    var ownCount: Int { own.count }
    mutating func truncateOwn(_ count: Int) { own.removeLast(own.count - count) }

    /// Sets what a parser found, unless a parser found the name before: of several the first one counts.
    mutating func setParsed(_ name: String, _ value: String) {
        for label in own where label.name == name { return }
        set(name, value)
    }

    mutating func remove(_ name: String) {
        if name == ErrorLabel.name {
            error = nil
            return
        }
        if name == ErrorLabel.detailsName {
            errorDetails = nil
            return
        }
        own.removeAll { $0.name == name }
        hidden.append(name)
    }

    /// Keeps the labels that `isKept` says, and errors.
    mutating func keep(_ isKept: (String) -> Bool) {
        own.removeAll { !isKept($0.name) }
        for label in stream.pairs where !isKept(label.name) { hidden.append(label.name) }
        for label in metadata.pairs where !isKept(label.name) { hidden.append(label.name) }
        if !isKept(LevelDetector.label) { hidden.append(LevelDetector.label) }
    }

    /// - Parameter details: nil: those of an error before stay.
    mutating func fail(_ error: String, _ details: String?) {
        self.error = error
        if let details { errorDetails = details }
    }

    /// Nothing but the stream's own labels.
    var isPlain: Bool { isStreamAndLevel && !detectsLevel }

    /// Nothing but the stream's own labels and the level.
    var isStreamAndLevel: Bool { own.isEmpty && hidden.isEmpty && metadata.isEmpty && error == nil && errorDetails == nil }

    private var hasDetectedLevel: Bool {
        detectsLevel && !hidden.contains(LevelDetector.label) && !hasOwn(LevelDetector.label) && metadata[LevelDetector.label] == nil
            && stream[LevelDetector.label] == nil
    }

    private var allPairs: [Label] {
        var pairs = stream.pairs
        pairs.append(contentsOf: metadata.pairs)
        if !hidden.isEmpty { pairs.removeAll { hidden.contains($0.name) } }
        pairs.append(contentsOf: own)
        if let error { pairs.append(Label(ErrorLabel.name, error)) }
        if let errorDetails { pairs.append(Label(ErrorLabel.detailsName, errorDetails)) }
        if hasDetectedLevel { pairs.append(Label(LevelDetector.label, level)) }
        return pairs
    }

    /// All labels, but none without a value.
    var final: Labels { isPlain ? stream : Labels(allPairs) }

    /// All labels, also those that a stage made without a value: lines show them, as in Loki.
    var shown: Labels {
        if isPlain { return stream }
        guard own.contains(where: \.value.isEmpty) else { return Labels(allPairs) }
        var last: [String: String] = [:]
        for pair in allPairs { last[pair.name] = pair.value }
        return Labels(sorted: last.map { Label($0.key, $0.value) }.sorted { $0.name.utf8Precedes($1.name) })
    }

    /// What stages made, and what structured metadata is left: the parts of a result that are no stream's labels.
    var parsedLabels: Labels {
        var pairs = own
        if let error { pairs.append(Label(ErrorLabel.name, error)) }
        if let errorDetails { pairs.append(Label(ErrorLabel.detailsName, errorDetails)) }
        return Labels(sorted: pairs.sorted { $0.name.utf8Precedes($1.name) })
    }

    var structuredMetadata: Labels {
        var left = hidden.isEmpty ? metadata : metadata.dropping(Set(hidden))
        if !own.isEmpty, !left.isEmpty { left = left.dropping(Set(own.map(\.name))) }
        if hasDetectedLevel { left[LevelDetector.label] = level }
        return left
    }
}
