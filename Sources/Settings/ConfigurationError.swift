/// Why a configuration file cannot be used: the place and what is wrong there.
package struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file as it was named by whoever asked for it.
    package var file: String
    /// Line and column from 1; 0 where the error is about the file as a whole. Columns count Unicode scalars, as libYAML does.
    package var line: Int
    package var column: Int
    /// What was found and what was expected, without a full stop.
    package var message: String

    package init(file: String, line: Int = 0, column: Int = 0, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// `file:line:column: message`, as compilers and editors write it.
    package var description: String {
        line == 0 ? "\(file): \(message)" : "\(file):\(line):\(column): \(message)"
    }
}

/// Something in a configuration file that is accepted but has no effect, with its place.
package struct ConfigurationWarning: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var column: Int
    package var message: String

    package init(file: String, line: Int, column: Int, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    package var description: String { "\(file):\(line):\(column): \(message)" }
}
