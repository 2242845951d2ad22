import Query
import Telemetry

/// What single spans tell about whether their trace may be a result: the first, cheap step of a search.
struct CandidatePlan {
    /// A trace is a candidate where a span satisfies one of these; nil: any span.
    private let conditions: [SpanExpression?]
    /// Conditions on the resource alone, all of which must hold: they leave whole streams out.
    private let resourceConditions: [SpanExpression]
    /// What the store may check.
    let predicates: [Predicate]
    /// The columns that the conditions read.
    let columns: ScanRequest.Columns
    /// The spans' attributes that the conditions read.
    let attributeNames: Set<String>?
    /// A candidate is a result: no other span has a say.
    let isExact: Bool

    init(_ pipeline: SpansetPipeline) throws(QueryError) {
        let leaves = Self.leaves(pipeline)
        var conditions: [SpanExpression?] = []
        for leaf in leaves {
            if let leaf { conditions.append(try SpanExpression(leaf)) } else { conditions.append(nil) }
        }
        self.conditions = conditions
        let fields = leaves.flatMap { $0?.fields ?? [] }
        columns = fields.reduce(.identifiers) { $0.union($1.columns) }
        attributeNames = fields.attributeNames
        var resourceConditions: [SpanExpression] = []
        var predicates: [Predicate] = []
        if leaves.count == 1, let leaf = leaves[0] {
            for conjunct in leaf.conjuncts {
                if !conjunct.fields.isEmpty, conjunct.fields.allSatisfy(\.isResource) {
                    resourceConditions.append(try SpanExpression(conjunct))
                } else if let predicate = conjunct.predicate {
                    predicates.append(predicate)
                }
            }
        }
        self.resourceConditions = resourceConditions
        self.predicates = Array(predicates.prefix(64))
        if pipeline.stages.count == 1, case .spanset(.filter) = pipeline.stages[0] {
            isExact = true
        } else {
            isExact = false
        }
    }

    func wants(_ stream: TelemetryStream) -> Bool {
        let empty = TraceSpan(traceID: .none, spanID: .none, name: "", start: 0, duration: 0)
        let context = SpanContext(span: empty, resource: stream.resource)
        return resourceConditions.allSatisfy { $0.holds(context) != false }
    }

    func wants(_ span: TraceSpan, _ resource: Resource) -> Bool {
        let context = SpanContext(span: span, resource: resource)
        return conditions.contains { $0.map { $0.holds(context) != false } ?? true }
    }

    /// Conditions of which one span of every result satisfies at least one; the most selective ones that the query offers.
    private static func leaves(_ pipeline: SpansetPipeline) -> [FieldExpression?] {
        var best: [FieldExpression?] = [nil]
        for stage in pipeline.stages {
            switch stage {
            case .spanset(let expression):
                let leaves = leaves(expression)
                if score(leaves) > score(best) { best = leaves }
            // Behind these, sets are not the trace's own any more; what came before still has to hold.
            case .filter, .group, .coalesce, .select: break
            }
        }
        return best
    }

    private static func leaves(_ expression: SpansetExpression) -> [FieldExpression?] {
        switch expression {
        case .filter(let expression): return [expression]
        case .pipeline(let pipeline): return leaves(pipeline)
        case .binary(let operation, let left, let right):
            if operation == .or { return leaves(left) + leaves(right) }
            // A negated operator asks only for spans of its right side.
            let (a, b) = (leaves(left), leaves(right))
            if operation.rawValue.hasPrefix("!") { return b }
            return score(a) > score(b) ? a : b
        }
    }

    private static func score(_ leaves: [FieldExpression?]) -> Int {
        leaves.map { $0.map { $0.conjuncts.map(\.selectivity).reduce(0, +) } ?? 0 }.min() ?? 0
    }
}

extension FieldExpression {
    /// The parts joined by `&&` at the outermost level.
    var conjuncts: [FieldExpression] {
        if case .binary(.and, let left, let right) = self { return left.conjuncts + right.conjuncts }
        return [self]
    }

    /// A guess at how few spans satisfy it: higher is fewer.
    fileprivate var selectivity: Int {
        guard case .binary(let operation, let left, _) = self else { return 1 }
        switch operation {
        case .equal:
            if case .field(let field) = left, field.isResource { return 3 }
            return 8
        case .matches: return 4
        case .greater, .greaterOrEqual, .less, .lessOrEqual: return 3
        default: return 1
        }
    }

    /// The condition as a store may check it.
    fileprivate var predicate: Predicate? {
        // A bare attribute must be true.
        if case .field(let field) = self, !field.isParent, case .attribute(.span, let name) = field.name {
            return .attribute(name, .equal, .bool(true))
        }
        guard case .binary(let operation, .field(let field), .constant(let value)) = self, !field.isParent else { return nil }
        if operation.isRegex, case .attribute(.span, let name) = field.name, case .string(let pattern) = value {
            return .attributeMatches(name, pattern: pattern, isNegated: operation == .notMatches)
        }
        guard let comparison = Predicate.Comparison(rawValue: operation.rawValue) else { return nil }
        switch (field.name, value) {
        case (.intrinsic(.name), .string(let text)): return .spanName(comparison, text)
        case (.intrinsic(.duration), .duration(let nanoseconds)): return .duration(comparison, nanoseconds)
        case (.intrinsic(.duration), .int(let nanoseconds)): return .duration(comparison, nanoseconds)
        case (.intrinsic(.status), .status(let status)): return .status(comparison, status)
        case (.intrinsic(.kind), .kind(let kind)): return .kind(comparison, kind)
        case (.intrinsic(.traceID), .string(let text)) where comparison == .equal:
            return TraceID(hex: text).map { .trace($0) }
        case (.attribute(.span, let name), .string(let text)): return .attribute(name, comparison, .string(text))
        case (.attribute(.span, let name), .int(let number)): return .attribute(name, comparison, .int(number))
        case (.attribute(.span, let name), .double(let number)): return .attribute(name, comparison, .double(number))
        case (.attribute(.span, let name), .bool(let flag)): return .attribute(name, comparison, .bool(flag))
        // An attribute without a value counts as none; whether there is one is as much as a store need tell.
        case (.attribute(.span, let name), .none) where comparison == .notEqual: return .attributeExists(name)
        default: return nil
        }
    }
}

extension SpanField {
    /// The columns of a span's row that it lies in.
    var columns: ScanRequest.Columns {
        switch name {
        case .attribute(let scope, _):
            switch scope {
            case .resource: return []
            case .span: return .attributes
            case .event, .link: return .details
            // Looked for in one place after another.
            case .any, .instrumentation: return [.intrinsics, .attributes, .details]
            }
        case .intrinsic(let intrinsic):
            switch intrinsic {
            case .eventName, .eventTimeSinceStart, .linkSpanID, .linkTraceID: return .details
            case .instrumentationName, .instrumentationVersion: return [.intrinsics, .details]
            case .id, .parentID, .traceID: return .identifiers
            default: return .intrinsics
            }
        case .parentSpan: return []
        }
    }

    /// It is the resource's, and so the same for all spans of a stream.
    var isResource: Bool {
        if case .attribute(.resource, _) = name { return !isParent }
        return false
    }
}

extension [SpanField] {
    /// The names of the spans' own attributes that they read.
    var attributeNames: Set<String> {
        var names: Set<String> = []
        for field in self {
            if case .attribute(let scope, let name) = field.name, scope == .span || scope == .any { names.insert(name) }
        }
        return names
    }
}
