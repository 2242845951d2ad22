import Codecs
import Collectors
import Telemetry

/// `targets/relabel_steps`: what each rule of a job makes of a target's labels (Prometheus 3, web/api/v1, `targetRelabelSteps`).
struct RelabelStepRoutes {
    /// The rules of a job; nil where there is no such job.
    let rules: @Sendable (String) -> [RelabelRule]?

    var routes: [Route] {
        [.get("/api/v1/targets/relabel_steps", scope: .query, errors: .prometheus) { try steps($0) }]
    }

    private func steps(_ call: Call) throws -> Answer {
        let form = try call.form()
        guard let pool = form.nonEmpty("scrapePool") else { throw APIError(.badRequest, "no scrapePool parameter provided") }
        guard let text = form.nonEmpty("labels") else { throw APIError(.badRequest, "no labels parameter provided") }
        var labels = try Self.labels(text)
        guard let rules = rules(pool) else {
            throw APIError(.badRequest, "error retrieving scrape config: scrape pool \(pool.debugDescription) not found")
        }
        var keep = true
        return PrometheusJSON.success { answer in
            answer.write { json in
                json.beginObject()
                json.key("steps")
                json.beginArray()
                for rule in rules {
                    // Once a rule has dropped the target the others do nothing more.
                    if keep { keep = rule.apply(to: &labels) }
                    json.beginObject()
                    json.key("rule")
                    Self.write(rule, &json)
                    json.key("output")
                    json.labels(keep ? labels : .empty)
                    json.field("keep", keep)
                    json.endObject()
                }
                json.endArray()
                json.endObject()
            }
        }
    }

    private static func labels(_ text: String) throws(APIError) -> Labels {
        let value: JSONValue
        do { value = try JSONValue(parsing: Array(text.utf8).span) } catch { throw APIError(.badRequest, "error parsing labels: \(error)") }
        guard let members = value.object?.members else { throw APIError(.badRequest, "error parsing labels: expected an object") }
        var labels: [Label] = []
        for member in members {
            guard let value = member.value.string else {
                throw APIError(.badRequest, "error parsing labels: the value of \(member.name.debugDescription) is no string")
            }
            labels.append(Label(member.name, value))
        }
        return Labels(labels)
    }

    private static func write(_ rule: RelabelRule, _ json: inout JSONWriter) {
        json.beginObject()
        if !rule.sourceLabels.isEmpty { json.field("source_labels", rule.sourceLabels) }
        json.field("separator", rule.separator)
        json.field("regex", rule.expressionText)
        if rule.modulus > 0 {
            json.key("modulus")
            json.raw(String(rule.modulus))
        }
        if !rule.targetLabel.isEmpty { json.field("target_label", rule.targetLabel) }
        json.field("replacement", rule.replacement)
        json.field("action", rule.action.rawValue)
        json.endObject()
    }
}
