import Telemetry

/// An aggregation whose input need not exist: each series goes into its group's column as soon as it has been read.
///
/// That is so where the input is a selector, or a range function of one, and the aggregation needs no more of a series than its
/// floats, one after the other.
struct FusedPlan: Sendable {
    /// What becomes of a series before it goes into its group.
    enum Source: Sendable {
        /// Its last sample.
        case last
        case rate(SimpleRate, DurationExpression)
        case extreme(WindowExtreme, DurationExpression)
        case function(RangeFunction, DurationExpression)
    }

    let node: PromQLExpression.Aggregation
    let selector: PromQLExpression.VectorSelector
    let source: Source
    /// Where the range vector stands in the query, for annotations.
    let place: SourceRange
    /// The value is no longer the metric's.
    let dropsName: Bool
    /// The metric, where its name should be a counter's.
    let counterName: String?

    /// nil where the aggregation must be evaluated step by step from its input.
    init?(_ node: PromQLExpression.Aggregation, _ options: PromQLOptions) {
        switch node.operation {
        case .sum, .avg, .count, .group, .min, .max: break
        default: return nil
        }
        self.node = node
        switch node.expression.unwrapped {
        case .selector(let selector):
            guard selector.boundary == .extrapolated else { return nil }
            self.selector = selector
            (source, place, dropsName, counterName) = (.last, node.expression.place, false, nil)
        case .call(let call):
            guard call.arguments.count == 1, case .range(let range) = call.arguments[0].unwrapped,
                range.selector.boundary == .extrapolated, let function = RangeFunction.named(call.function.name)
            else { return nil }
            let name = range.selector.matchers.first { $0.name == Labels.metricName && $0.operation == .equal }?.value
            // Without its name a series may be the same as another: that is an error, which only all of them together show.
            guard function.keepsName || name?.isEmpty == false else { return nil }
            selector = range.selector
            place = call.arguments[0].place
            dropsName = !function.keepsName
            counterName = call.function.name == "rate" || call.function.name == "increase" ? name : nil
            if let rate = SimpleRate(call.function.name) {
                source = .rate(rate, range.range)
            } else if let extreme = WindowExtreme(call.function.name) {
                source = .extreme(extreme, range.range)
            } else {
                source = .function(function, range.range)
            }
        default: return nil
        }
    }
}
