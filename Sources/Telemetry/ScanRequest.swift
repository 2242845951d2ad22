/// What a reader wants of a store's rows.
package struct ScanRequest: Sendable {
    /// The order in which blocks come.
    package enum Order: Sendable, Hashable {
        /// All blocks of one stream, oldest first, then the next stream, in the order in which the request names them.
        /// Rows of a stream come in time order without overlap, and for metrics a timestamp comes once (the last write wins).
        case byStream
        /// Blocks of all streams, newest first. Each block's ``Block/horizon`` bounds what may still come; the rows within a
        /// block are in ascending time order all the same.
        case newestFirst
        /// The mirror of `newestFirst`.
        case oldestFirst
    }

    package var signal: Signal
    /// The streams wanted, as `TelemetryStore.streams` gave them.
    package var streams: [TelemetryStream]
    package var range: TimeRange
    package var order: Order
    /// The columns wanted; a block may hold more.
    package var columns: Columns
    /// Of the spans' attributes those of these names; a block may hold more. nil: all.
    package var attributeNames: Set<String>?
    /// Conditions that the store may use to leave rows out; all of them must hold for a row to be wanted. A row that comes
    /// may still fail one: the reader checks those that ``Block/applied`` does not name.
    package var predicates: [Predicate]
    /// Logs: fields of JSON lines, named as LogQL's `json` names them, to come as typed columns instead of in lines
    /// (``LogColumns/fields``). A store that has them not hands over the lines.
    package var fields: [String] = []
    /// Logs: no row is wanted whose line, read as LogQL's `json` reads it, lacks one of these. It says nothing of streams that have a label of
    /// that name, nor of rows with structured metadata; a store may leave out the blocks without such a row.
    package var fieldTexts: [FieldText] = []
    /// Logs in the order of time: what the reader no longer wants, as it finds enough newer (older) rows.
    package var bound: ScanBound?
    /// Logs: the lines of rows that satisfy all predicates, as the store has checked, are not needed.
    package var omitsCheckedLines = false
    /// Logs in the order of time: of a block whose rows satisfy all predicates, as the store has checked, no more than the newest (oldest)
    /// so many are needed.
    package var rowCountMax: Int?
    /// The name in ``fields`` of what a line says of its level: the first string field of an object, or of an object in it, that is named so.
    package static let levelField = "\u{1}level"
    package static let levelFieldNames = [
        "level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText", "lvl", "LVL", "Lvl", "severity_text",
        "Severity_Text", "SEVERITY_TEXT",
    ]
    /// Hears what the scan had to read.
    package var statistics: ScanStatistics?

    package init(
        signal: Signal, streams: [TelemetryStream], range: TimeRange, order: Order = .byStream,
        columns: Columns = .all, attributeNames: Set<String>? = nil, predicates: [Predicate] = [], statistics: ScanStatistics? = nil
    ) {
        self.signal = signal
        self.streams = streams
        self.range = range
        self.order = order
        self.columns = columns
        self.attributeNames = attributeNames
        self.predicates = predicates
        self.statistics = statistics
    }

    /// A field's name, as LogQL's `json` names it, and its whole text, which is not empty.
    package struct FieldText: Sendable, Hashable {
        package var name: String
        package var text: String

        package init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    /// A set of columns. Timestamps always come.
    package struct Columns: OptionSet, Sendable, Hashable {
        package var rawValue: UInt32

        package init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// Metrics: floats and histograms.
        package static let values = Columns(rawValue: 1 << 0)
        package static let line = Columns(rawValue: 1 << 1)
        package static let metadata = Columns(rawValue: 1 << 2)
        /// Trace, span and parent ids.
        package static let identifiers = Columns(rawValue: 1 << 3)
        /// Spans: name, kind, status, duration, scope name.
        package static let intrinsics = Columns(rawValue: 1 << 4)
        package static let attributes = Columns(rawValue: 1 << 5)
        /// Spans: events, links, trace state and the dropped counts.
        package static let details = Columns(rawValue: 1 << 6)
        package static let stacks = Columns(rawValue: 1 << 7)
        package static let all = Columns(rawValue: .max)
        /// Timestamps alone.
        package static let none: Columns = []
    }
}

/// Whether a scan goes on.
package enum ScanControl: Sendable, Hashable {
    case `continue`
    case stop
}
