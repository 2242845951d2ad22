import Query
import Telemetry
import Templates

/// Gathers the samples of a range aggregation: from fields where those tell, from lines where not.
struct SampleCollector: LogScanReader {
    private(set) var table: SampleTable
    let grouping: Grouping?
    let pipeline: LogPipeline
    let plan: ColumnPlan?
    /// The fields that the store is asked for.
    let fields: [String]
    let unwrapFilters: [LabelFilterStage]
    private let context: QueryContext
    private let groupNames: Set<String>
    private var row: Row
    /// The series of the stream at hand by level, for lines that bring no labels of their own.
    private var levelIndexes: (stream: StreamID?, byLevel: [String: Int]) = (nil, [:])

    init(
        table: SampleTable, grouping: Grouping?, needed: Set<String>?, detectsLevel: Bool, context: QueryContext
    ) throws(QueryError) {
        let aggregation = table.aggregation
        self.table = table
        self.grouping = grouping
        pipeline = try LogPipeline(
            aggregation.logs.stages, needed: needed, hints: ParserHints(needed: aggregation.requiredLabels(grouping)))
        self.context = context
        var filters: [LabelFilterStage] = []
        for filter in aggregation.unwrap?.filters ?? [] { filters.append(try LabelFilterStage(filter)) }
        unwrapFilters = filters
        groupNames = Set(grouping?.labels ?? [])
        row = Row(labels: RowLabels(detectsLevel: detectsLevel))
        let plan = try ColumnPlan(aggregation.logs.stages)
        // What needs all labels, or the bytes of lines, fields cannot tell.
        if let plan, let needed, let fields = plan.fields(plan.isComplete && !table.countsBytes ? needed : []) {
            // Where no label is read, which rows have fields is all that is asked.
            (self.plan, self.fields) = (plan, fields.isEmpty ? [Self.noField] : fields)
        } else {
            (self.plan, self.fields) = (nil, [])
        }
    }

    /// A name that no field has.
    private static let noField = "\u{0}"

    private var aggregation: RangeAggregation { table.aggregation }

    /// Whether fields alone may say what a row adds.
    var countsFields: Bool { plan?.isComplete == true && !table.countsBytes && grouping?.isWithout == false }

    /// Whether every line of the stream falls into one series, known from the stream alone.
    private func isConstant(_ stream: TelemetryStream) -> Bool {
        guard let grouping, !grouping.isWithout, !pipeline.changesStreamLabels else { return false }
        return grouping.labels.allSatisfy { stream.labels[$0] != nil }
    }

    /// What to read of the streams.
    func request(_ streams: [TelemetryStream], in range: TimeRange) -> ScanRequest {
        var request = ScanRequest(
            signal: .logs, streams: streams, range: range, order: .byStream, columns: [.line, .metadata, .identifiers],
            predicates: pipeline.predicates)
        request.fields = fields
        request.fieldTexts = plan?.fieldTexts ?? []
        guard table.isCounting, streams.allSatisfy(isConstant) else { return request }
        if !pipeline.touchesLabels { request.fields = [] }
        if pipeline.isEmpty {
            request.columns = table.countsBytes ? .line : .none
        } else if !pipeline.touchesLabels {
            request.columns = .line
            request.omitsCheckedLines = !table.countsBytes && pipeline.isChecked
        }
        return request
    }

    mutating func takeTable() -> SampleTable { table }

    // MARK: Fields

    mutating func read(_ block: inout LogFieldBlock) throws {
        guard let plan else { return }
        try context.check()
        let columns = ColumnBlock(block, names: fields, hasJSON: plan.hasJSON, detectsLevel: row.labels.detectsLevel)
        // Lines that were not taken apart run through the pipeline as they are.
        var verdicts = [UInt8](repeating: ColumnVerdict.passes, count: columns.rowCount)
        for filter in plan.filters {
            guard let more = filter.verdicts(columns) else { return }
            for row in verdicts.indices {
                verdicts[row] = (verdicts[row] | more[row]) & 2 != 0 ? ColumnVerdict.lineTells : verdicts[row] & more[row]
            }
        }
        for row in block.fields.unparsedRows { verdicts[row] = ColumnVerdict.lineTells }
        if countsFields, pipeline.isChecked(by: block.applied) {
            var isWanted = block.isWanted
            guard try table.add(columns, &verdicts, isWanted, grouping, unwrapFilters) else { return }
            var count = 0
            for row in isWanted.indices {
                if isWanted[row] != 0, verdicts[row] != ColumnVerdict.lineTells {
                    count += 1
                    isWanted[row] = 0
                }
            }
            table.linesProcessed += count
            try context.read(samples: count)
            if !table.isCounting { try context.reserve(bytes: count * 8) }
            block.isWanted = isWanted
        } else {
            for row in verdicts.indices where verdicts[row] == ColumnVerdict.fails { block.isWanted[row] = 0 }
        }
    }

    // MARK: Lines

    mutating func take(_ block: Block) throws -> ScanControl {
        try context.check()
        try context.read(samples: block.count)
        table.linesProcessed += block.count
        if !table.isCounting { try context.reserve(bytes: block.count * 16) }
        if levelIndexes.stream != block.stream.id { levelIndexes = (block.stream.id, [:]) }
        let constant = isConstant(block.stream) ? try table.index(of: block.stream.labels.keeping(groupNames)) : nil
        guard case .logs(let columns) = block.columns, !columns.ends.isEmpty else {
            // Timestamps alone: counting lines whose series is known.
            if let constant { table.count(constant, block.timestamps) }
            return .continue
        }
        table.bytesProcessed += columns.bytes.count
        for position in 0..<min(block.count, columns.ends.count) {
            let range = columns.range(position)
            row.timestamp = block.timestamps[position]
            row.line = columns.bytes[range]
            row.labels.reset(stream: block.stream.labels, metadata: columns.fullMetadata(position), line: row.line)
            guard pipeline.run(&row, applied: block.applied) else { continue }
            try takeRow(constant)
        }
        return .continue
    }

    private mutating func takeRow(_ constant: Int?) throws(QueryError) {
        var value = table.countsBytes ? Double(row.line.count) : 1
        if let unwrap = aggregation.unwrap {
            guard let unwrapped = unwrapped(unwrap) else { return }
            value = unwrapped
        }
        if let error = row.labels.error { throw Self.error(error, row.labels) }
        let index: Int
        if let constant {
            index = constant
        } else if table.isCounting, row.labels.isStreamAndLevel {
            let level = row.labels.detectsLevel ? row.labels.value(LevelDetector.label) : ""
            if let known = levelIndexes.byLevel[level] {
                index = known
            } else {
                index = try table.index(of: groupLabels)
                levelIndexes.byLevel[level] = index
            }
        } else {
            index = try table.index(of: groupLabels)
        }
        if table.isCounting {
            table.count(index, table.steps(at: row.timestamp), value, lines: 1)
        } else {
            table.sample(index, row.timestamp, value)
        }
    }

    /// The number that a line stands for; nil where it has none or a filter behind `unwrap` leaves it out.
    private mutating func unwrapped(_ unwrap: Unwrap) -> Double? {
        let text = row.labels.value(unwrap.label)
        guard !text.isEmpty else { return nil }
        let number = unwrap.number(text)
        if number == nil { row.labels.fail(ErrorLabel.sampleExtraction, unwrap.fault(text)) }
        for filter in unwrapFilters { guard filter.passes(&row.labels) else { return nil } }
        return number ?? 0
    }

    private var groupLabels: Labels {
        if let grouping {
            if !grouping.isWithout {
                var pairs: [Label] = []
                for name in grouping.labels { pairs.append(Label(name, row.labels.value(name))) }
                return Labels(pairs)
            }
            return row.labels.final.dropping(aggregation.unwrap.map { groupNames.union([$0.label]) } ?? groupNames)
        }
        let all = row.labels.final
        return aggregation.unwrap.map { all.dropping([$0.label]) } ?? all
    }

    private static func error(_ error: String, _ labels: RowLabels) -> QueryError {
        QueryError(
            .execution,
            "pipeline error: '\(error)' for series: '\(labels.final)'.\nUse a label filter to intentionally skip this error. "
                + "(e.g | __error__!=\"\(error)\").\nTo skip all potential errors you can match empty errors.(e.g __error__=\"\")\n"
                + "The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n")
    }
}

extension Unwrap {
    /// The number that a label's value stands for.
    func number(_ text: String) -> Double? {
        switch conversion {
        case nil: Double(text)
        case .bytes: Units.bytes(text).map { Double($0) }
        case .duration, .durationSeconds: Units.duration(text, allowsDays: false).map { GoDuration.seconds($0) }
        }
    }
}
