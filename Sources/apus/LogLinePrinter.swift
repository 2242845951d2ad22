import Foundation

/// A log line as `/api/apus/logs` has it.
struct LogLine: Decodable, Sendable {
    var timestamp: String
    var time: String
    var labels: [String: String]
    var line: String
}

/// A page of them.
struct LogLinePage: Decodable {
    var lines: [LogLine]
    var cursor: String?
}

/// Shows log lines in a terminal.
final class LogLinePrinter {
    private let output: LogQLQueryCommand.Output
    private let showsLabels: Bool
    /// Said already.
    private var common: [String: String] = [:]

    init(output: LogQLQueryCommand.Output, showsLabels: Bool) {
        self.output = output
        self.showsLabels = showsLabels
    }

    /// Says once what all lines have in common.
    func printCommonLabels(of lines: [LogLine]) {
        guard output == .standard, showsLabels, let first = lines.first else { return }
        common = lines.dropFirst().reduce(first.labels) { common, line in common.filter { line.labels[$0.key] == $0.value } }
        if !common.isEmpty { StandardError.write("Common labels: \(Self.text(common))\n") }
    }

    func print(_ lines: [LogLine]) {
        for line in lines {
            switch output {
            case .raw: Swift.print(line.line)
            case .jsonl:
                let object: [String: Any] = ["timestamp": line.timestamp, "labels": line.labels, "line": line.line]
                let data = (try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])) ?? Data()
                Swift.print(String(decoding: data, as: UTF8.self))
            default:
                let labels = showsLabels ? Self.text(line.labels.filter { common[$0.key] != $0.value }) + " " : ""
                Swift.print("\(line.time) \(labels)\(line.line)")
            }
        }
        // Who reads from a pipe wants to see a line when it comes.
        fflush(nil)
    }

    static func text(_ labels: [String: String]) -> String {
        "{" + labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ", ") + "}"
    }
}

/// Shows numbers: a series and its points.
enum NumberLines {
    private struct Answer: Decodable {
        struct Content: Decodable {
            var resultType: String
            var result: Result
        }
        var data: Content
    }

    private enum Result: Decodable {
        case series([Series])
        case scalar(Point)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let series = try? container.decode([Series].self) {
                self = .series(series)
            } else {
                self = .scalar(try container.decode(Point.self))
            }
        }
    }

    private struct Series: Decodable {
        var metric: [String: String]
        var value: Point?
        var values: [Point]?
    }

    private struct Point: Decodable {
        var time: Double
        var value: String

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            time = try container.decode(Double.self)
            value = try container.decode(String.self)
        }
    }

    /// - Parameter isPlain: the values alone.
    static func lines(_ data: Data, isPlain: Bool) throws -> [String] {
        switch try JSONDecoder().decode(Answer.self, from: data).data.result {
        case .scalar(let point): return [point.value]
        case .series(let series):
            return series.flatMap { one -> [String] in
                let labels = LogLinePrinter.text(one.metric)
                if let point = one.value { return [isPlain ? point.value : "\(labels) \(point.value)"] }
                return (isPlain ? [] : [labels])
                    + (one.values ?? []).map { isPlain ? $0.value : "  \(Self.time($0.time)) \($0.value)" }
            }
        }
    }

    private static func time(_ seconds: Double) -> String {
        Date(timeIntervalSince1970: seconds).formatted(.iso8601)
    }
}
