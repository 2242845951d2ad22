import Patterns
import Query
import Telemetry

/// A line filter ready to run.
struct LineFilterStage {
    private enum Test {
        case always
        case contains(Patterns.Substring)
        /// The literal, where there is one, is looked for before the expression runs.
        case matches(Pattern, required: Patterns.Substring?)
        case pattern(LinePattern)
        case ip(AddressMatcher)
    }

    private let tests: [Test]
    private let isNegated: Bool

    init(_ filter: LineFilter) throws(QueryError) {
        isNegated = filter.operation.isNegated
        var tests: [Test] = []
        for needle in filter.alternatives {
            switch needle {
            case .ip(let address):
                tests.append(
                    .ip(
                        try StageError.converted { () throws(AddressMatcher.Fault) in
                            try AddressMatcher(address)
                        } text: {
                            $0.description
                        }))
            case .text(let text):
                switch filter.operation {
                case .contains, .excludes: tests.append(text.isEmpty ? .always : .contains(Patterns.Substring(text)))
                case .matches, .notMatches: tests.append(try Self.expression(text))
                case .pattern, .notPattern:
                    tests.append(
                        .pattern(
                            try StageError.converted { () throws(LinePattern.Fault) in
                                try LinePattern(text, isParser: false)
                            } text: {
                                $0.description
                            }))
                }
            }
        }
        self.tests = tests
    }

    private static func expression(_ text: String) throws(QueryError) -> Test {
        if text.isEmpty || text == ".*" { return .always }
        let required = RequiredLiterals(text)
        if required.isExact, let literal = required.longest { return .contains(Patterns.Substring(literal)) }
        if text.hasPrefix("(?i)") {
            let rest = RequiredLiterals(String(text.dropFirst(4)))
            // `k` and `s` have relatives beyond ASCII that fold to them.
            if rest.isExact, let literal = rest.longest, literal.utf8.allSatisfy({ $0 < 0x80 && !"kKsS".utf8.contains($0) }) {
                return .contains(Patterns.Substring(literal, ignoresASCIICase: true))
            }
        }
        let pattern = try StageError.converted { () throws(Pattern.SyntaxError) in
            try Pattern(text, options: .noCaptures)
        } text: {
            GoParseFault.regexp($0)
        }
        return .matches(pattern, required: required.longest.map { Patterns.Substring($0) })
    }

    func passes(_ line: ArraySlice<UInt8>) -> Bool {
        for test in tests where holds(test, line) { return !isNegated }
        return isNegated
    }

    private func holds(_ test: Test, _ line: ArraySlice<UInt8>) -> Bool {
        switch test {
        case .always: return true
        case .contains(let literal): return literal.isContained(in: line.span)
        case .matches(let pattern, let required):
            if let required, !required.isContained(in: line.span) { return false }
            return pattern.matchesPart(line.span)
        case .pattern(let pattern): return pattern.matches(line.span)
        case .ip(let matcher): return matcher.matches(line: line)
        }
    }
}

extension LineFilter {
    /// What a store may check for this filter. All of it must hold; `isWhole`: and nothing else.
    var predicates: (predicates: [Predicate], isWhole: Bool) {
        var result: [Predicate] = []
        var isWhole = true
        func literals(_ text: String) -> (literals: [String], isExact: Bool) {
            let required = RequiredLiterals(text)
            return (required.literals, required.isExact)
        }
        switch operation {
        case .contains, .matches:
            // A store knows no "or".
            guard alternatives.count == 1, case .text(let text) = alternatives[0] else { return ([], false) }
            if operation == .contains {
                if !text.isEmpty { result.append(.lineContains(text)) }
            } else {
                let (literals, isExact) = literals(text)
                result = literals.map { .lineContains($0) }
                isWhole = isExact
            }
        case .excludes:
            for case .text(let text) in alternatives where !text.isEmpty { result.append(.lineExcludes(text)) }
            isWhole = result.count == alternatives.count
        case .notMatches, .pattern, .notPattern: isWhole = false
        }
        return (result, isWhole && !result.isEmpty)
    }
}

/// Errors of stages as errors of the query.
enum StageError {
    static func converted<Result, Fault: Error>(
        _ body: () throws(Fault) -> Result, text: (Fault) -> String
    ) throws(QueryError) -> Result {
        do { return try body() } catch { throw QueryError(.execution, text(error)) }
    }
}
