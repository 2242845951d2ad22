import Telemetry

/// The labels that say what went wrong with a line.
enum ErrorLabel {
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
        self.metadata = metadata
        original = line
        own.removeAll(keepingCapacity: true)
        hidden.removeAll(keepingCapacity: true)
        error = nil
        errorDetails = nil
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
        stream[name] != nil || metadata[name] != nil
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

    mutating func remove(_ name: String) {
        if name == ErrorLabel.name { error = nil }
        if name == ErrorLabel.detailsName { errorDetails = nil }
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

    mutating func fail(_ error: String, _ details: String) {
        self.error = error
        errorDetails = details
    }

    /// Nothing but the stream's own labels.
    var isPlain: Bool { isStreamAndLevel && !detectsLevel }

    /// Nothing but the stream's own labels and the level.
    var isStreamAndLevel: Bool { own.isEmpty && hidden.isEmpty && metadata.isEmpty && error == nil }

    /// All labels.
    var final: Labels {
        if isPlain { return stream }
        var pairs = stream.pairs
        pairs.append(contentsOf: metadata.pairs)
        if !hidden.isEmpty { pairs.removeAll { hidden.contains($0.name) } }
        pairs.append(contentsOf: own)
        if let error {
            pairs.append(Label(ErrorLabel.name, error))
            if let errorDetails { pairs.append(Label(ErrorLabel.detailsName, errorDetails)) }
        }
        if detectsLevel, !hidden.contains(LevelDetector.label), !pairs.contains(where: { $0.name == LevelDetector.label }) {
            pairs.append(Label(LevelDetector.label, level))
        }
        return Labels(pairs)
    }

    /// What stages made, and what structured metadata is left: the parts of a result that are no stream's labels.
    var parsedLabels: Labels { Labels(own) }
    var structuredMetadata: Labels {
        hidden.isEmpty ? metadata : metadata.dropping(Set(hidden))
    }
}
