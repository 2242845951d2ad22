import Query

extension QueryError {
    /// An error of TraceQL's parser in Tempo's words: `invalid TraceQL query: parse error at line 1, col 3: …`.
    static func traceQL(_ message: String, at range: Range<Int>, in text: String) -> QueryError {
        let place = Place(start: range.lowerBound, end: range.upperBound, in: text)
        return QueryError(
            .parse, "invalid TraceQL query: parse error at line \(place.line), col \(place.column): \(message)",
            at: place)
    }
}
