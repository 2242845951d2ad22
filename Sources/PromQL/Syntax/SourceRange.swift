package import Query

/// A place in a query's text: the bytes from `start` up to, but not including, `end`.
///
/// All places are equal, so that two expressions are equal where they mean the same, wherever they stand.
package struct SourceRange: Sendable, Hashable {
    package var start: Int
    package var end: Int

    package init(_ start: Int, _ end: Int) {
        self.start = start
        self.end = end
    }

    /// From the start of `self` to the end of `other`.
    func joined(_ other: SourceRange) -> SourceRange { SourceRange(start, other.end) }

    /// The place as errors report it.
    package func place(in text: String) -> QueryError.Place { QueryError.Place(start: start, end: end, in: text) }

    package static func == (left: SourceRange, right: SourceRange) -> Bool { true }

    package func hash(into hasher: inout Hasher) {}
}
