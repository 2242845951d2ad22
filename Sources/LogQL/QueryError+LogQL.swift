import Query

extension QueryError {
    /// An error of LogQL's parser in Loki's words: `parse error at line 1, col 5: …`.
    static func logQL(_ message: String, at range: Range<Int>, in text: String) -> QueryError {
        let place = Place(start: range.lowerBound, end: range.upperBound, in: text)
        return QueryError(.parse, "parse error at line \(place.line), col \(place.column): \(message)", at: place)
    }

    /// An error of a query that is well formed but means nothing, in Loki's words: `parse error : …`.
    static func logQL(invalid message: String, at range: Range<Int>, in text: String) -> QueryError {
        QueryError(.parse, "parse error : \(message)", at: Place(start: range.lowerBound, end: range.upperBound, in: text))
    }
}
