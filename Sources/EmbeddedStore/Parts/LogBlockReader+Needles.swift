import Codecs
import Telemetry

/// Which rows of a block are wanted, as far as it is known.
enum LogRowMask: Equatable {
    case all
    case none
    /// By row: 0 it is not; ``holds`` it is; ``mayHold``: the line will tell.
    case some([UInt8])

    static let holds: UInt8 = 1
    static let mayHold: UInt8 = 2

    /// Both must hold.
    func intersection(_ other: LogRowMask) -> LogRowMask {
        switch (self, other) {
        case (.all, let mask), (let mask, .all): return mask
        case (.none, _), (_, .none): return .none
        case (.some(var left), .some(let right)):
            var any: UInt8 = 0
            for row in left.indices {
                left[row] = left[row] == 0 || right[row] == 0 ? 0 : max(left[row], right[row])
                any |= left[row]
            }
            return any == 0 ? .none : .some(left)
        }
    }
}

extension LogBlockReader {
    /// The rows whose lines hold, or may hold, all needles: the head rules most blocks out, and of the others only the fields are read
    /// that a needle may stand in.
    ///
    /// - Parameter times: the block's timestamps, asked for where a field is stored relative to them.
    func rows(holding needles: [[UInt8]], _ times: () throws(DecodeError) -> [Int64]) throws(DecodeError) -> LogRowMask {
        guard let plans = plans(needles) else { return .none }
        return try rows(plans, times)
    }

    /// What the head says of needles; nil where a line cannot hold them all.
    func plans(_ needles: [[UInt8]]) -> [NeedlePlan]? {
        var plans: [NeedlePlan] = []
        for needle in needles where !outline.sieve.mayHold(needle) { return nil }
        for needle in needles {
            let plan = NeedlePlan(needle, head)
            if plan.isNever { return nil }
            plans.append(plan)
        }
        return plans
    }

    /// The rows that plans leave.
    func rows(_ plans: [NeedlePlan], _ times: () throws(DecodeError) -> [Int64]) throws(DecodeError) -> LogRowMask {
        var rowTemplates: [UInt8]?
        var mask = LogRowMask.all
        for plan in plans {
            if !plan.mayBeInRest, head.restCount == 0, plan.ways.allSatisfy(\.isAlways) { continue }
            let codes: [UInt8]
            if let known = rowTemplates { codes = known } else { codes = try readRowTemplates() }
            rowTemplates = codes
            mask = mask.intersection(try rows(plan, codes, times))
            if mask == .none { break }
        }
        return mask
    }

    private func rows(_ plan: NeedlePlan, _ rowTemplates: [UInt8], _ times: () throws(DecodeError) -> [Int64]) throws(DecodeError) -> LogRowMask {
        var mask = [UInt8](repeating: 0, count: rowCount)
        for (template, ways) in plan.ways.enumerated() where ways.isAlways {
            for row in mask.indices where Int(rowTemplates[row]) == template { mask[row] = LogRowMask.holds }
        }
        if plan.mayBeInRest {
            for row in mask.indices where Int(rowTemplates[row]) == plan.ways.count { mask[row] = LogRowMask.mayHold }
        }
        var tested: [Int] = []
        for ways in plan.ways { for test in ways.tests where !tested.contains(test.field) { tested.append(test.field) } }
        for field in tested {
            // The same value may make the line of one template hold the needle, and that of another not.
            var groups: [(tests: [NeedlePlan.Test], isTested: [Bool])] = []
            for (template, ways) in plan.ways.enumerated() {
                let tests = ways.tests.filter { $0.field == field }
                if tests.isEmpty { continue }
                let known = groups.firstIndex { $0.tests == tests }
                if known == nil { groups.append((tests, [Bool](repeating: false, count: plan.ways.count + 1))) }
                groups[known ?? groups.count - 1].isTested[template] = true
            }
            let has = head.templates.map { $0.fields.contains(field) } + [false]
            for (tests, isTested) in groups {
                let verdicts = try self.verdicts(field, tests, rowTemplates, times)
                var value = 0
                for row in mask.indices {
                    let template = Int(rowTemplates[row])
                    guard has[template] else { continue }
                    if isTested[template], mask[row] != LogRowMask.holds, verdicts[value] != 0 { mask[row] = verdicts[value] }
                    value += 1
                }
            }
        }
        return mask.contains { $0 != 0 } ? .some(mask) : .none
    }

    /// By value: whether a test passes.
    private func verdicts(
        _ field: Int, _ tests: [NeedlePlan.Test], _ rowTemplates: [UInt8], _ times: () throws(DecodeError) -> [Int64]
    ) throws(DecodeError) -> [UInt8] {
        let header = head.fields[field]
        if case .dictionary(let texts) = header.encoding {
            let table = texts.map { text in text.withUnsafeBufferPointer { Self.verdict(tests, $0) } }
            var reader = try section(.field(field))
            var codes = try CodeColumn.read(&reader, count: header.valueCount, entryCount: texts.count)
            for index in codes.indices { codes[index] = table[Int(codes[index])] }
            return codes
        }
        if case .digits(let pattern) = header.encoding, let test = tests.first, tests.count == 1, test.bytes.count == pattern.text.count {
            var reader = try section(.field(field))
            return try pattern.find(test.bytes, &reader, count: header.valueCount)
        }
        var values = RenderedFields(valueCount: header.valueCount, byteCount: header.byteCount * 2)
        try render(field, rowTemplates, header.encoding.needsTimes ? try times() : [], into: &values)
        let count = values.valueCount
        return try values.withValues { (texts, slices) throws(DecodeError) in
            var verdicts = [UInt8](repeating: 0, count: count)
            for index in 0..<count {
                // SAFETY: slices lie inside of the texts.
                verdicts[index] = Self.verdict(tests, UnsafeBufferPointer(start: texts + slices[index].start, count: slices[index].count))
            }
            return verdicts
        }
    }

    private static func verdict(_ tests: [NeedlePlan.Test], _ value: UnsafeBufferPointer<UInt8>) -> UInt8 {
        var verdict: UInt8 = 0
        for test in tests where test.holds(value) {
            if test.isExact { return LogRowMask.holds }
            verdict = LogRowMask.mayHold
        }
        return verdict
    }
}

extension FieldEncoding {
    /// Whether its values are stored relative to the rows' timestamps.
    var needsTimes: Bool {
        switch self {
        case .number(let number): number.clock != nil
        case .time(let time): time.isRelative
        case .dictionary, .digits, .text: false
        }
    }
}

extension DigitPattern {
    /// By row: ``LogRowMask/holds`` where it is `value`, which is as long as the pattern.
    func find(_ value: [UInt8], _ reader: inout ByteReader, count: Int) throws(DecodeError) -> [UInt8] {
        let section = try reader.take(stride * count, "digits")
        var verdicts = [UInt8](repeating: 0, count: count)
        guard let wanted = pack(value), stride > 0 else { return verdicts }
        let bytes = reader.bytes
        bytes.withUnsafeBufferPointer { bytes in
            wanted.withUnsafeBufferPointer { wanted in
                for row in 0..<count {
                    // SAFETY: the section holds `stride` bytes a row.
                    let packed = UnsafeBufferPointer(rebasing: bytes[section.lowerBound + row * stride..<section.lowerBound + (row + 1) * stride])
                    if packed[0] == wanted[0], ByteSearch.isEqual(packed, wanted) { verdicts[row] = LogRowMask.holds }
                }
            }
        }
        return verdicts
    }
}
