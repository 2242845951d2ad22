import Query
import Telemetry

/// Spans of one trace that belong together, with what was computed of them.
struct Spanset {
    /// Indexes into the trace, ascending.
    var spans: [Int]
    var attributes: [Attribute] = []
}

/// A pipeline ready to run on whole traces.
struct SpansetPlan {
    private indirect enum Node {
        case all
        case filter(SpanExpression)
        case binary(SpansetExpression.Operation, Node, Node)
        case pipeline(SpansetPlan)
    }

    private indirect enum Scalar {
        case constant(StaticValue)
        case aggregate(ScalarExpression.Aggregate, SpanExpression?, name: String)
        case arithmetic(FieldExpression.Operation, Scalar, Scalar)
        case pipeline(SpansetPlan, Scalar)
    }

    private enum Stage {
        case spanset(Node)
        case group(SpanExpression, name: String)
        case coalesce
        case select
        case filter(FieldExpression.Operation, Scalar, Scalar)
    }

    private var stages: [Stage] = []

    init(_ pipeline: SpansetPipeline) throws(QueryError) {
        for stage in pipeline.stages {
            switch stage {
            case .spanset(let expression): stages.append(.spanset(try Self.node(expression)))
            case .group(let expression):
                stages.append(.group(try SpanExpression(expression), name: "by(\(expression))"))
            case .coalesce: stages.append(.coalesce)
            case .select: stages.append(.select)
            case .filter(let filter):
                stages.append(.filter(filter.operation, try Self.scalar(filter.left), try Self.scalar(filter.right)))
            }
        }
    }

    private static func node(_ expression: SpansetExpression) throws(QueryError) -> Node {
        switch expression {
        case .filter(nil): .all
        case .filter(let expression?): .filter(try SpanExpression(expression))
        case .binary(let operation, let left, let right): .binary(operation, try node(left), try node(right))
        case .pipeline(let pipeline): .pipeline(try SpansetPlan(pipeline))
        }
    }

    private static func scalar(_ expression: ScalarExpression) throws(QueryError) -> Scalar {
        switch expression {
        case .constant(let value): return .constant(value)
        case .aggregate(let aggregate, let argument):
            var compiled: SpanExpression?
            if let argument { compiled = try SpanExpression(argument) }
            return .aggregate(aggregate, compiled, name: "\(aggregate.rawValue)(\(argument.map { "\($0)" } ?? ""))")
        case .arithmetic(let operation, let left, let right):
            return .arithmetic(operation, try scalar(left), try scalar(right))
        case .pipeline(let pipeline, let inner): return .pipeline(try SpansetPlan(pipeline), try scalar(inner))
        }
    }

    /// The spansets of a trace that the pipeline lets through.
    func run(_ tree: TraceTree) -> [Spanset] {
        run(tree, [Spanset(spans: Array(tree.spans.indices))])
    }

    private func run(_ tree: TraceTree, _ input: [Spanset]) -> [Spanset] {
        var sets = input
        for stage in stages {
            switch stage {
            case .spanset(let node):
                sets = sets.compactMap { set in
                    let spans = Self.spans(node, tree, set.spans)
                    return spans.isEmpty ? nil : Spanset(spans: spans, attributes: set.attributes)
                }
            case .group(let expression, let name): sets = sets.flatMap { Self.groups($0, expression, name, tree) }
            case .coalesce:
                if !sets.isEmpty { sets = [Spanset(spans: Array(Set(sets.flatMap(\.spans))).sorted())] }
            case .select: break
            case .filter(let operation, let left, let right):
                sets = sets.compactMap { set in
                    var set = set
                    guard let a = Self.value(left, tree, &set), let b = Self.value(right, tree, &set),
                        SpanExpression.compare(operation, a, b)
                    else { return nil }
                    return set
                }
            }
            if sets.isEmpty { return [] }
        }
        return sets
    }

    private static func context(_ tree: TraceTree, _ index: Int) -> SpanContext {
        SpanContext(span: tree.spans[index], resource: tree.resources[index], tree: tree, index: index)
    }

    private static func spans(_ node: Node, _ tree: TraceTree, _ input: [Int]) -> [Int] {
        switch node {
        case .all: return input
        case .filter(let expression): return input.filter { expression.holds(context(tree, $0)) ?? false }
        case .pipeline(let plan): return Array(Set(plan.run(tree, [Spanset(spans: input)]).flatMap(\.spans))).sorted()
        case .binary(let operation, let left, let right):
            let (a, b) = (spans(left, tree, input), spans(right, tree, input))
            switch operation {
            case .and: return a.isEmpty || b.isEmpty ? [] : union(a, b)
            case .or: return union(a, b)
            default: return Relation(operation).spans(a, b, tree)
            }
        }
    }

    private static func union(_ a: [Int], _ b: [Int]) -> [Int] { Array(Set(a).union(b)).sorted() }

    private static func groups(_ set: Spanset, _ expression: SpanExpression, _ name: String, _ tree: TraceTree)
        -> [Spanset]
    {
        var groups: [Spanset] = []
        var indexes: [StaticValue: Int] = [:]
        for span in set.spans {
            let values: [StaticValue]
            switch expression.value(context(tree, span)) {
            case .one(let value): values = [value]
            case .many(let all): values = all
            case .unknown: values = []
            }
            // Spans that lack what they are grouped by are left out.
            for value in values where value != .none {
                if let index = indexes[value] {
                    groups[index].spans.append(span)
                } else {
                    indexes[value] = groups.count
                    groups.append(
                        Spanset(spans: [span], attributes: set.attributes + [Attribute(name, value.attribute)]))
                }
            }
        }
        return groups
    }

    /// The number, noted in the set where it is an aggregate; nil where nothing is to aggregate.
    private static func value(_ scalar: Scalar, _ tree: TraceTree, _ set: inout Spanset) -> StaticValue? {
        switch scalar {
        case .constant(let value): return value
        case .arithmetic(let operation, let left, let right):
            guard let a = value(left, tree, &set), let b = value(right, tree, &set) else { return nil }
            return StaticValue.arithmetic(operation, a, b)
        case .pipeline(let plan, let inner):
            let sets = plan.run(tree, [set])
            var merged = Spanset(spans: Array(Set(sets.flatMap(\.spans))).sorted())
            return value(inner, tree, &merged)
        case .aggregate(let aggregate, let expression, let name):
            guard let value = Self.aggregate(aggregate, expression, tree, set.spans) else { return nil }
            set.attributes.append(Attribute(name, value.attribute))
            return value
        }
    }

    private static func aggregate(
        _ aggregate: ScalarExpression.Aggregate, _ expression: SpanExpression?, _ tree: TraceTree, _ spans: [Int]
    ) -> StaticValue? {
        guard let expression else { return .int(Int64(spans.count)) }
        var values: [StaticValue] = []
        for span in spans {
            switch expression.value(context(tree, span)) {
            case .one(let value): values.append(value)
            case .many(let all): values += all
            case .unknown: break
            }
        }
        values.removeAll { !$0.isNumber }
        guard let first = values.first else { return nil }
        switch aggregate {
        case .count: return .int(Int64(values.count))
        case .min: return values.dropFirst().reduce(first) { SpanExpression.compare(.less, $1, $0) ? $1 : $0 }
        case .max: return values.dropFirst().reduce(first) { SpanExpression.compare(.greater, $1, $0) ? $1 : $0 }
        case .sum, .avg:
            let sum = values.dropFirst().reduce(first) { StaticValue.arithmetic(.add, $0, $1) ?? $0 }
            guard aggregate == .avg else { return sum }
            return StaticValue.arithmetic(.divide, sum, .int(Int64(values.count)))
        }
    }
}

/// A structural operator between the spans of two sets.
private struct Relation {
    private let base: SpansetExpression.Operation
    private let isNegated: Bool
    private let isUnion: Bool

    init(_ operation: SpansetExpression.Operation) {
        isNegated = operation.rawValue.hasPrefix("!")
        isUnion = operation.rawValue.hasPrefix("&")
        base =
            isNegated || isUnion
            ? SpansetExpression.Operation(rawValue: String(operation.rawValue.dropFirst())) ?? .child : operation
    }

    /// The right spans that stand in relation to a left one (that stand in none, negated; both ends, as a union).
    func spans(_ left: [Int], _ right: [Int], _ tree: TraceTree) -> [Int] {
        let leftSet = Set(left)
        guard isUnion else { return right.filter { related($0, leftSet, left, tree).isEmpty == isNegated } }
        var result: Set<Int> = []
        for span in right {
            let partners = related(span, leftSet, left, tree, all: true)
            guard !partners.isEmpty else { continue }
            result.insert(span)
            result.formUnion(partners)
        }
        return result.sorted()
    }

    /// The left spans that `span` stands in relation to; one is enough unless `all` are asked for.
    private func related(_ span: Int, _ leftSet: Set<Int>, _ left: [Int], _ tree: TraceTree, all: Bool = false) -> [Int]
    {
        switch base {
        case .child: return tree.parents[span].map { leftSet.contains($0) ? [$0] : [] } ?? []
        case .parent: return tree.children[span].filter { leftSet.contains($0) }
        case .sibling:
            guard let parent = tree.parents[span] else { return [] }
            return tree.children[parent].filter { $0 != span && leftSet.contains($0) }
        case .descendant:
            var found: [Int] = []
            // A path can be no longer than the trace has spans, even in a circle.
            var (next, steps) = (tree.parents[span], 0)
            while let ancestor = next, steps < tree.spans.count {
                if leftSet.contains(ancestor) {
                    found.append(ancestor)
                    if !all { return found }
                }
                next = tree.parents[ancestor]
                steps += 1
            }
            return found
        case .ancestor:
            if all { return left.filter { tree.isAncestor(span, of: $0) } }
            return left.first { tree.isAncestor(span, of: $0) }.map { [$0] } ?? []
        default: return []
        }
    }
}
