import Settings
import Telemetry

/// `match`: runs stages on the lines that a selector matches, or drops them.
struct MatchStage: Stage {
    private let selector: LineSelector
    /// nil: the lines are dropped.
    private var stages: StageChain?
    private let reason: String
    private var metrics: StageMetrics?

    init(_ options: StageOptions, _ context: inout StageContext) throws(ConfigurationError) {
        let fields = try options.reading(["pipeline_name", "selector", "stages", "action", "drop_counter_reason"], &context)
        if fields.contains("pipeline_name"), try fields.string("pipeline_name") == "" {
            throw fields.place.error("pipeline_name may be left out, but not be empty")
        }
        let node = try fields.required("selector")
        let text = try node.nonEmptyString
        do throws(LineSelector.Fault) {
            selector = try LineSelector(text)
        } catch {
            throw node.error("the selector \(text.debugDescription) cannot be read: \(error.description)")
        }
        let action = try fields["action"]?.choice(["keep", "drop", ""]) ?? ""
        let list = try fields["stages"]?.list ?? []
        if action == "drop" {
            guard list.isEmpty else { throw fields.place.error("a match that drops lines cannot contain stages") }
        } else {
            guard let nested = fields["stages"], !list.isEmpty else { throw fields.place.error("match needs at least one stage in `stages`") }
            context.depth += 1
            stages = try StageChain(nested, &context)
            context.depth -= 1
        }
        let reason = try fields.string("drop_counter_reason") ?? ""
        self.reason = reason.isEmpty ? "match_stage" : reason
    }

    mutating func bind(_ environment: StageEnvironment) {
        metrics = environment.metrics
        stages?.bind(environment)
    }

    mutating func process(_ entry: inout StageEntry, _ run: inout StageRun) -> Bool {
        guard selector.matches(entry) else { return true }
        guard stages != nil else {
            metrics?.dropped(reason: reason)
            return false
        }
        stages?.process(entry, &run)
        return false
    }

    var nextFlush: Int64? { stages?.nextFlush }

    mutating func flush(isFinal: Bool, _ run: inout StageRun) { stages?.flush(isFinal: isFinal, &run) }

    var held: [HeldEntry] {
        guard let stages else { return [] }
        return stages.stages.enumerated().flatMap { index, stage in
            stage.held.map { held in
                var held = held
                held.path.insert(index, at: 0)
                return held
            }
        }
    }

    mutating func restore(_ held: [HeldEntry]) {
        var byStage: [Int: [HeldEntry]] = [:]
        for item in held {
            guard let index = item.path.first else { continue }
            var item = item
            item.path.removeFirst()
            byStage[index, default: []].append(item)
        }
        for (index, items) in byStage { stages?.restore(items, stage: index) }
    }
}
