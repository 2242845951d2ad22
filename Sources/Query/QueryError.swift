/// Why a query has no answer. Each API turns it into its peer's error JSON.
package struct QueryError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The text is no query of the language; ``place`` says where.
        case parse
        /// The query is well formed but cannot be evaluated (many-to-many matching, a bad regular expression or parameter).
        case execution
        /// It took longer than its deadline.
        case timeout
        /// It ran over its budget of samples or bytes.
        case limit
        /// Its client went away.
        case cancelled
        /// The store could not be read.
        case storage
    }

    /// A place in the query's text.
    package struct Place: Sendable, Hashable {
        /// The first byte, from 0, and the byte after the last one.
        package var start: Int
        package var end: Int
        /// Line and column of the first byte, from 1; columns count bytes.
        package var line: Int
        package var column: Int

        package init(start: Int, end: Int, in text: String) {
            self.start = start
            self.end = end
            line = 1
            column = 1
            for byte in text.utf8.prefix(start) {
                if byte == UInt8(ascii: "\n") {
                    line += 1
                    column = 1
                } else {
                    column += 1
                }
            }
        }
    }

    package var code: Code
    package var message: String
    package var place: Place?

    package init(_ code: Code, _ message: String, at place: Place? = nil) {
        self.code = code
        self.message = message
        self.place = place
    }

    /// The message alone; with "line:column: " before it where the place is known.
    package var description: String {
        place.map { "\($0.line):\($0.column): \(message)" } ?? message
    }
}
