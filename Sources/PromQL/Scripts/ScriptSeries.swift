package import Telemetry

/// What is wrong with a script, or how an evaluation differs from what its script states.
package struct ScriptError: Error, Sendable, CustomStringConvertible {
    package var line: Int
    package var message: String

    package init(line: Int, message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { "line \(line): \(message)" }
}

/// One position of a series in a script.
package enum ScriptValue: Sendable, Equatable {
    /// No sample.
    case none
    case float(Double)
    /// With whether its literal states a counter reset hint.
    case histogram(NativeHistogram, checksHint: Bool)
}

/// A label set and its values, in the notation of Prometheus' test scripts and rule unit tests.
package struct ScriptSeries: Sendable {
    package var labels: Labels
    package var values: [ScriptValue]
    /// Set where the line gives start timestamps for the line below it.
    var isStartTimes = false
    /// For each position, how far before (less than zero) or after its sample the counter started, in milliseconds.
    var startOffsets: [Int64?] = []

    /// A series without values.
    init(labels: Labels) {
        self.labels = labels
        values = []
    }

    /// Reads `metric{a="b"} 1 2+3x4 _ {{schema:0}}`.
    ///
    /// - Parameter line: where errors say that it stands.
    package init(_ text: String, line: Int) throws {
        var scanner = SeriesScanner(text, line: line)
        let name = scanner.takeWhile { $0.isLetter || $0.isNumber || $0 == "_" || $0 == ":" }
        var braces = ""
        if scanner.peek == "{" { braces = try scanner.takeBraces() }
        if scanner.take("@st") { isStartTimes = true }
        labels = try Self.labels(name, braces, line: line)
        values = []
        while !scanner.skipBlanks() {
            if isStartTimes {
                startOffsets += try scanner.startOffsets()
            } else {
                values += try scanner.item()
            }
            guard values.count + startOffsets.count <= Self.valueCountMax else {
                throw ScriptError(line: line, message: "a series has more than \(Self.valueCountMax) values")
            }
        }
    }

    /// How many values a series may have: repetitions are written in a few bytes.
    static let valueCountMax = 10_000_000

    private static func labels(_ name: String, _ braces: String, line: Int) throws -> Labels {
        // A matcher more, so that an empty label set parses as a selector too.
        let inside = braces.isEmpty ? "" : String(braces.dropFirst().dropLast())
        let matchers: [LabelMatcher]
        do { matchers = try PromQLParser.selector("\(name){__apus_script__=\"x\",\(inside)}") } catch {
            throw ScriptError(line: line, message: "bad label set: \(error)")
        }
        if let wrong = matchers.first(where: { $0.operation != .equal }) {
            throw ScriptError(line: line, message: "bad label set: \(wrong.name) is matched, not given a value")
        }
        return Labels(matchers.filter { $0.name != "__apus_script__" }.map { Label($0.name, $0.value) })
    }
}
