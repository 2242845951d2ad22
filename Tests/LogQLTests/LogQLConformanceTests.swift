import Foundation
import LogQL
import Query
import TestSupport
import Testing

/// The verdicts of Loki's own parser on its own queries.
@Suite struct LogQLConformanceTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var isValid: Bool
        var reason: String
        var query: String?
        var testDescription: String { query ?? "(no UTF-8)" }
    }

    static func cases() throws -> [Case] {
        try SharedCases.text("conformance/logql/queries.tsv").split(separator: "\n").dropFirst().map { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let query: String? =
                if fields[4] == "json" {
                    try JSONDecoder().decode(String.self, from: Data(fields[5].utf8))
                } else {
                    Data(base64Encoded: fields[5]).flatMap { String(data: $0, encoding: .utf8) }
                }
            return Case(isValid: fields[0] == "valid", reason: fields[2], query: query)
        }
    }

    /// This many verdicts agree; the floor only rises.
    static let floor = 330

    @Test("gives Loki's verdicts", .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)))
    func verdicts() throws {
        var agreed = 0
        let cases = try Self.cases()
        for one in cases {
            // What is no UTF-8 never becomes a String: the server refuses it.
            guard let query = one.query else {
                agreed += 1
                continue
            }
            var verdict = true
            do throws(QueryError) {
                _ = try LogQLParser.parse(query)
            } catch {
                verdict = false
            }
            if verdict == one.isValid {
                agreed += 1
            } else {
                print("differs (\(one.isValid ? "valid" : "invalid: \(one.reason)")): \(query)")
            }
        }
        #expect(cases.count == 330)
        #expect(agreed >= Self.floor, "\(agreed) of \(cases.count)")
    }

    @Test("formats a query to one that reads the same", .enabled(if: SharedCases.exist, Comment(rawValue: SharedCases.reason)))
    func roundTrip() throws {
        for one in try Self.cases() where one.isValid {
            guard let query = one.query else { continue }
            let parsed = try LogQLParser.parse(query)
            #expect(try LogQLParser.parse(parsed.description) == parsed, "\(query) → \(parsed.description)")
        }
    }
}
