import Foundation
import Query
import TestSupport
import Testing
import TraceQL

/// The verdicts of Tempo's own parser on its own queries.
@Suite struct TraceQLConformanceTests {
    /// This many verdicts agree; the floor only rises.
    static let floor = 523

    @Test("gives Tempo's verdicts", .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)))
    func verdicts() throws {
        let lines = try SharedCases.text("conformance/traceql/queries.tsv").split(separator: "\n").dropFirst()
        var agreed = 0
        for line in lines {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let query = try JSONDecoder().decode(String.self, from: Data(fields[3].utf8))
            let parses = (try? TraceQLParser.parseUnchecked(query)) != nil
            let isValid = (try? TraceQLParser.parse(query)) != nil
            let agrees =
                switch fields[0] {
                case "valid": isValid
                case "parses": parses
                case "parse_fails": !parses
                case "validate_fails": !isValid
                // What Tempo does not support may work here.
                default: parses
                }
            if agrees { agreed += 1 } else { print("differs (\(fields[0]): \(fields[1])): \(query)") }
        }
        #expect(agreed >= Self.floor, "\(agreed) of \(lines.count)")
    }
}
