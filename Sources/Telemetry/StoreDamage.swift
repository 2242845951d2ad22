/// A place on disk that could not be read: what it held is left out, everything else is served.
package struct StoreDamage: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A record or segment of the write-ahead log.
        case log
        /// The streams of a day.
        case index
        /// A whole part, or what its reader starts from.
        case part
        /// One block of a part.
        case block
        case metadata
        /// The list of deletions.
        case tombstones
        /// The small state in SQLite.
        case catalog
    }

    package var kind: Kind
    /// nil: of all signals.
    package var signal: Signal?
    package var path: String
    /// Where in the file; nil where the whole file is meant.
    package var offset: Int?
    /// A sentence: what was found, what was expected, and what is left out.
    package var message: String

    package init(_ kind: Kind, _ signal: Signal?, path: String, offset: Int? = nil, message: String) {
        self.kind = kind
        self.signal = signal
        self.path = path
        self.offset = offset
        self.message = message
    }
}
