import Telemetry

/// The parameters of the search endpoints, with Prometheus' words where they are wrong (web/api/v1, `parseSearchParams`).
struct SearchParameters: Sendable {
    enum Order: Sendable {
        case ascending
        case descending
        case score
    }

    private static let termCountMax = 32
    /// Names that one search may give.
    private static let limitMax = 10_000

    let range: TimeRange
    /// One for each `match[]`; none: everything.
    let matchers: [[LabelMatcher]]
    let filter: SearchFilter
    let order: Order
    let limit: Int
    let batchCount: Int
    let includesScore: Bool
    let includesMetadata: Bool

    init(_ call: Call, _ endpoint: String, now: Int64) throws(APIError) {
        let parameters = try PrometheusParameters(call)
        let form = parameters.form
        range = TimeRange(try parameters.time("start") ?? now - 3_600_000, try parameters.time("end") ?? now)
        guard range.start <= range.end else { throw APIError(.badRequest, "end timestamp must not be before start timestamp") }
        matchers = try parameters.matchers()
        let terms = form.all("search[]")
        guard terms.count <= Self.termCountMax else {
            throw APIError(.badRequest, "too many search[] terms: got \(terms.count), maximum is \(Self.termCountMax)")
        }
        let threshold = form.nonEmpty("fuzz_threshold").map { Int($0) ?? -1 } ?? 0
        guard (0...100).contains(threshold) else {
            throw APIError(.badRequest, "invalid fuzz_threshold \"\(form["fuzz_threshold"] ?? "")\": must be 0-100")
        }
        let algorithm = form.nonEmpty("fuzz_alg") ?? SearchFilter.Algorithm.subsequence.rawValue
        guard let algorithm = SearchFilter.Algorithm(rawValue: algorithm) else {
            throw APIError(.badRequest, "unsupported fuzz_alg \"\(algorithm)\": must be one of [subsequence jarowinkler]")
        }
        filter = SearchFilter(
            terms, algorithm: algorithm, threshold: Double(threshold) / 100, isCaseSensitive: try Self.bool(form, "case_sensitive", true))
        includesScore = try Self.bool(form, "include_score", false)
        includesMetadata = try Self.bool(form, "include_metadata", false)
        order = try Self.order(form, endpoint, hasTerms: !terms.isEmpty)
        limit = try Self.positive(form, "limit", 100)
        guard limit <= Self.limitMax else {
            throw APIError(.badRequest, "limit \(limit) exceeds the configured maximum (\(Self.limitMax))")
        }
        batchCount = try Self.positive(form, "batch_size", 100)
    }

    private static func order(_ form: FormParameters, _ endpoint: String, hasTerms: Bool) throws(APIError) -> Order {
        let (by, direction) = (form.nonEmpty("sort_by"), form.nonEmpty("sort_dir"))
        if direction != nil, by == nil { throw APIError(.badRequest, "sort_dir is only valid when sort_by is set") }
        if direction != nil, by == "score" { throw APIError(.badRequest, "sort_dir is not supported for sort_by=score") }
        guard direction == nil || direction == "asc" || direction == "dsc" else {
            throw APIError(.badRequest, "invalid sort_dir \"\(direction ?? "")\": must be \"asc\" or \"dsc\"")
        }
        switch by {
        case nil: return .ascending
        case "alpha": return direction == "dsc" ? .descending : .ascending
        case "score":
            guard hasTerms else { throw APIError(.badRequest, "sort_by=score requires search[] to be set") }
            return .score
        case let by?: throw APIError(.badRequest, "invalid sort_by \"\(by)\" for \(endpoint): must be \"alpha\" or \"score\"")
        }
    }

    private static func positive(_ form: FormParameters, _ name: String, _ standard: Int) throws(APIError) -> Int {
        guard let text = form.nonEmpty(name) else { return standard }
        guard let value = Int(text), value > 0 else { throw APIError(.badRequest, "invalid \(name) \"\(text)\": must be a positive integer") }
        return value
    }

    /// What Go's `strconv.ParseBool` takes.
    private static func bool(_ form: FormParameters, _ name: String, _ standard: Bool) throws(APIError) -> Bool {
        guard let text = form.nonEmpty(name) else { return standard }
        switch text {
        case "1", "t", "T", "TRUE", "true", "True": return true
        case "0", "f", "F", "FALSE", "false", "False": return false
        default: throw APIError(.badRequest, "invalid \(name) \"\(text)\": must be boolean")
        }
    }
}
