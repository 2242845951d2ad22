import Alerting
import Codecs
import Crypto
import Query
import Telemetry

/// Which groups and rules a request for rules wants (Prometheus, HTTP API, "Rules").
struct RuleListFilter {
    /// Whether the alerts of rules stay away.
    let withoutAlerts: Bool
    private let kind: Rule.Kind?
    private let names: Set<String>
    private let groupNames: Set<String>
    private let files: Set<String>
    private let labels: [MatcherTest]
    /// Groups of a page; nil: all.
    private let groupCountMax: Int?
    /// Of the page's first group; nil: from the start.
    private let token: String?

    /// Groups, and the token of the next page, where there is one.
    struct Page {
        var groups: [RuleGroupSnapshot] = []
        var nextToken: String?
    }

    init(_ call: Call) throws {
        let parameters = try PrometheusParameters(call)
        let form = parameters.form
        switch form.nonEmpty("type")?.lowercased() {
        case nil: kind = nil
        case "alert": kind = .alerting
        case "record": kind = .recording
        case let other?: throw APIError.parameter("type", "not supported value \"\(other)\"")
        }
        (names, groupNames, files) = (Set(form.all("rule_name[]")), Set(form.all("rule_group[]")), Set(form.all("file[]")))
        labels = try parameters.matchers().map { try MatcherTest($0) }
        switch form.nonEmpty("exclude_alerts")?.lowercased() {
        case nil, "false", "0", "f": withoutAlerts = false
        case "true", "1", "t": withoutAlerts = true
        case let other?:
            throw APIError.parameter("exclude_alerts", "error converting exclude_alerts: strconv.ParseBool: parsing \"\(other)\": invalid syntax")
        }
        token = form.nonEmpty("group_next_token")
        guard let text = form.nonEmpty("group_limit") else {
            groupCountMax = nil
            guard token == nil else {
                throw APIError.parameter("group_next_token", "group_limit needs to be present in order to paginate over the groups")
            }
            return
        }
        guard let count = Int32(text) else {
            throw APIError.parameter("group_limit", "group_limit needs to be a valid number: strconv.ParseInt: parsing \"\(text)\": invalid syntax")
        }
        guard count > 0 else { throw APIError.parameter("group_limit", "group_limit needs to be greater than 0") }
        groupCountMax = Int(count)
    }

    /// The page that is wanted of all groups, with those of their rules that are; groups without any are left out.
    func page(of groups: [RuleGroupSnapshot]) throws(APIError) -> Page {
        var page = Page()
        var rest = groups[...]
        if let token {
            rest = rest.drop { Self.token(of: $0) != token }
            if rest.isEmpty { throw .parameter("group_next_token", "invalid group_next_token '\(token)'. were rule groups changed?") }
        }
        for group in rest where (groupNames.isEmpty || groupNames.contains(group.name)) && (files.isEmpty || files.contains(group.file)) {
            var group = group
            group.rules.removeAll { !isWanted($0.rule) }
            if group.rules.isEmpty { continue }
            if let groupCountMax, page.groups.count == groupCountMax {
                page.nextToken = Self.token(of: group)
                break
            }
            page.groups.append(group)
        }
        return page
    }

    private func isWanted(_ rule: Rule) -> Bool {
        (kind == nil || rule.kind == kind) && (names.isEmpty || names.contains(rule.name))
            && (labels.isEmpty || labels.contains { $0.holds(rule.labels) })
    }

    private static func token(of group: RuleGroupSnapshot) -> String {
        Hex.text(Array(SHA256.hash(data: Array("\(group.file);\(group.name)".utf8))))
    }
}
