/// Why a source cannot go on.
package struct SourceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What happened and what to do, in a sentence.
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
