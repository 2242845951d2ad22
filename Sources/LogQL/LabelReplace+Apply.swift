import Patterns
import Query
import Telemetry
import Templates

extension LabelReplace {
    /// Sets the destination where the source's whole value matches.
    func apply(_ series: [StepSeries]) throws(QueryError) -> [StepSeries] {
        let expression = try StageError.converted { () throws(Pattern.SyntaxError) in
            try Pattern("^(?:\(pattern))$", options: .dotMatchesNewline)
        } text: {
            $0.description
        }
        var seen: Set<Labels> = []
        var result: [StepSeries] = []
        for one in series {
            var one = one
            let bytes = Array((one.labels[source] ?? "").utf8)
            if let ranges = expression.firstMatch(in: bytes.span) {
                one.labels[destination] = Replacement.expand(replacement, bytes, ranges, expression.groupNames)
            }
            guard seen.insert(one.labels).inserted else {
                throw QueryError(.execution, "vector cannot contain metrics with the same labelset")
            }
            result.append(one)
        }
        return result
    }
}
