import Telemetry

/// A PromQL test script, read: the notation of Prometheus' `promqltest`.
struct PromQLScript {
    enum Command {
        case clear
        case load(Load)
        case evaluate(Evaluation)
    }

    struct Load {
        var line: Int
        /// Milliseconds between samples.
        var spacing: Int64
        var series: [ScriptSeries] = []
        /// Native histograms with custom bounds are derived from the classic ones.
        var derivesNative = false
    }

    struct Pattern {
        var text: String?
        var isExpression = false
    }

    struct Evaluation {
        var line: Int
        var query: String
        /// Milliseconds; one instant where `step` is nil.
        var start: Int64
        var end: Int64
        var step: Int64?
        var fails: Pattern?
        var warnings: [Pattern] = []
        var infos: [Pattern] = []
        var noWarnings = false
        var noInfos = false
        var isOrdered = false
        var string: String?
        var rangeVector: (start: Int64, end: Int64, step: Int64)?
        var scalar: Double?
        var series: [ScriptSeries] = []
    }

    private(set) var commands: [Command] = []

    /// Reads a script.
    static func read(_ text: String) throws(ScriptError) -> PromQLScript {
        do {
            return try PromQLScript(text)
        } catch let error as ScriptError {
            throw error
        } catch {
            throw ScriptError(line: 0, message: "\(error)")
        }
    }

    private init(_ text: String) throws {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let trimmed = line.trimmingBlanks
            return trimmed.hasPrefix("#") ? "" : trimmed
        }
        var index = 0
        while index < lines.count {
            let line = lines[index]
            let number = index + 1
            index += 1
            if line.isEmpty { continue }
            let word = line.prefix { !$0.isWhitespace }
            if word.lowercased() == "clear" {
                commands.append(.clear)
                continue
            }
            var body: [(number: Int, text: String)] = []
            while index < lines.count, !lines[index].isEmpty {
                body.append((index + 1, lines[index]))
                index += 1
            }
            if word.hasPrefix("load") {
                commands.append(.load(try Self.load(line, number, body)))
            } else if word.hasPrefix("eval") {
                commands.append(.evaluate(try Self.evaluation(line, number, body)))
            } else {
                throw ScriptError(line: number, message: "unknown command \(word): expected load, eval or clear")
            }
        }
    }

    private static func load(_ line: String, _ number: Int, _ body: [(number: Int, text: String)]) throws -> Load {
        let words = line.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let spacing = PromQLDuration.parse(words[1]) else {
            throw ScriptError(line: number, message: "bad load: expected `load DURATION`")
        }
        var load = Load(line: number, spacing: spacing, derivesNative: words[0] == "load_with_nhcb")
        var startOffsets: [Int64?] = []
        for line in body {
            var series = try ScriptSeries(line.text, line: line.number)
            if series.isStartTimes {
                startOffsets = series.startOffsets
                continue
            }
            series.startOffsets = startOffsets
            startOffsets = []
            load.series.append(series)
        }
        return load
    }

    private static func evaluation(_ line: String, _ number: Int, _ body: [(number: Int, text: String)]) throws
        -> Evaluation
    {
        var rest = Substring(line)
        func word() -> String {
            rest = rest.drop(while: \.isWhitespace)
            let found = rest.prefix { !$0.isWhitespace }
            rest = rest.dropFirst(found.count)
            return String(found)
        }
        func duration() throws -> Int64 {
            let text = word()
            guard let value = PromQLDuration.parse(text) else {
                throw ScriptError(line: number, message: "bad duration \(text)")
            }
            return value
        }
        func expect(_ text: String) throws {
            guard word() == text else { throw ScriptError(line: number, message: "expected \(text)") }
        }
        let command = word()
        let kind = word()
        var evaluation: Evaluation
        if kind == "range" {
            try expect("from")
            let start = try duration()
            try expect("to")
            let end = try duration()
            guard start <= end else { throw ScriptError(line: number, message: "the range ends before it starts") }
            try expect("step")
            let step = try duration()
            guard step > 0 else { throw ScriptError(line: number, message: "the step must be longer than 0") }
            evaluation = Evaluation(line: number, query: "", start: start, end: end, step: step)
        } else {
            try expect("at")
            let time = try duration()
            evaluation = Evaluation(line: number, query: "", start: time, end: time)
        }
        evaluation.query = rest.trimmingBlanks
        switch command {
        case "eval_fail": evaluation.fails = Pattern()
        case "eval_warn": evaluation.warnings = [Pattern()]
        case "eval_info": evaluation.infos = [Pattern()]
        case "eval_ordered": evaluation.isOrdered = true
        default: break
        }
        for line in body {
            if evaluation.scalar != nil {
                throw ScriptError(line: line.number, message: "nothing may follow a scalar result")
            } else if line.text.hasPrefix("expect ") {
                try evaluation.expect(String(line.text.dropFirst(7)).trimmingBlanks, line.number)
            } else if line.text.hasPrefix("expected_fail_message ") {
                evaluation.fails = Pattern(text: String(line.text.dropFirst(22)).trimmingBlanks)
            } else if line.text.hasPrefix("expected_fail_regexp ") {
                evaluation.fails = Pattern(text: String(line.text.dropFirst(21)).trimmingBlanks, isExpression: true)
            } else if let scalar = PromQLNumber.parse(line.text), evaluation.series.isEmpty {
                evaluation.scalar = scalar
            } else {
                evaluation.series.append(try ScriptSeries(line.text, line: line.number))
            }
        }
        guard evaluation.warnings.isEmpty || !evaluation.noWarnings, evaluation.infos.isEmpty || !evaluation.noInfos else {
            throw ScriptError(line: number, message: "annotations are expected and forbidden at once")
        }
        return evaluation
    }
}

extension PromQLScript.Evaluation {
    fileprivate mutating func expect(_ text: String, _ line: Int) throws {
        let word = text.prefix { !$0.isWhitespace }
        let rest = String(text.dropFirst(word.count)).trimmingBlanks
        var pattern = PromQLScript.Pattern()
        if rest.hasPrefix("msg:") { pattern = .init(text: String(rest.dropFirst(4)).trimmingBlanks) }
        if rest.hasPrefix("regex:") {
            pattern = .init(text: String(rest.dropFirst(6)).trimmingBlanks, isExpression: true)
        }
        switch word {
        case "fail":
            guard fails == nil else { throw ScriptError(line: line, message: "a failure is expected twice") }
            fails = pattern
        case "warn": warnings.append(pattern)
        case "info": infos.append(pattern)
        case "no_warn": noWarnings = true
        case "no_info": noInfos = true
        case "ordered": isOrdered = true
        case "string": string = try StringLiteral.unquote(rest)
        case "range":
            let words = rest.split(whereSeparator: \.isWhitespace)
            guard words.count == 7, let from = PromQLDuration.parse(words[2]), let to = PromQLDuration.parse(words[4]),
                let step = PromQLDuration.parse(words[6])
            else {
                throw ScriptError(line: line, message: "bad expectation: expected `expect range vector from A to B step S`")
            }
            guard from <= to, step > 0 else {
                throw ScriptError(line: line, message: "a range needs an end that is not before its start, and a step")
            }
            rangeVector = (from, to, step)
            (start, end) = (to, to)
        default: throw ScriptError(line: line, message: "unknown expectation \(word)")
        }
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmingBlanks: String {
        var slice = self[...]
        while let last = slice.last, last.isWhitespace { slice = slice.dropLast() }
        return String(slice.drop(while: \.isWhitespace))
    }
}
