import Codecs
import Telemetry

/// The attributes of a block's spans as they were read: which columns each row has values in, and those columns that were asked for.
struct SpanAttributeColumns {
    private struct Column {
        var name: String
        var type: SpanBlock.ValueType
        var range: Range<Int>
        var valueCount = 0
        var isRead = false
        var texts = SpanTextColumn()
        var numbers: [Int64] = []
        var doubles: [Double] = []
        /// Bytes, arrays and maps.
        var others: [AttributeValue] = []

        mutating func value(_ index: Int) -> AttributeValue {
            switch type {
            case .empty: .empty
            case .string: .string(texts.text(index))
            case .bool: .bool(numbers[index] != 0)
            case .int: .int(numbers[index])
            case .double: .double(doubles[index])
            case .bytes, .other: others[index]
            }
        }
    }

    private var columns: [Column] = []
    /// The columns of all shapes, end to end, and where each shape ends.
    private var shapeColumns: [Int32] = []
    private var shapeEnds: [Int] = []
    /// By row; empty where all are of the first shape.
    private var codes: [Int64]
    private let rowCount: Int

    init(
        shapes: ByteReader, codes: [Int64], rowCount: Int, columns ranges: [Range<Int>], shared: SpanTexts
    ) throws(DecodeError) {
        self.codes = codes
        self.rowCount = rowCount
        if shapes.isAtEnd { return }
        var reader = shapes
        var table = ByteReader(reader.bytes, try reader.take(try reader.count("shapes"), "shapes"))
        let count = try reader.varint("attribute columns")
        guard count == UInt64(ranges.count), ranges.count <= table.left else {
            throw DecodeError(offset: reader.offset, field: "attribute columns", "\(count), but the block has \(ranges.count)")
        }
        var names = try SpanTextColumn(reader, count: ranges.count, shared: shared)
        for (index, range) in ranges.enumerated() {
            let tag = try table.byte("attribute type")
            guard let type = SpanBlock.ValueType(rawValue: tag) else {
                throw DecodeError(offset: table.offset, field: "attribute type", "\(tag) is unknown")
            }
            columns.append(Column(name: names.text(index), type: type, range: range))
        }
        for _ in 0..<(try table.count("shapes")) {
            for _ in 0..<(try table.count("shape")) {
                let column = try table.varint("shape")
                guard column < UInt64(columns.count) else {
                    throw DecodeError(offset: table.offset, field: "shape", "column \(column) of \(columns.count)")
                }
                shapeColumns.append(Int32(column))
            }
            shapeEnds.append(shapeColumns.count)
        }
        try countValues(table.offset)
    }

    /// How many values each column has.
    private mutating func countValues(_ offset: Int) throws(DecodeError) {
        var rowsOfShape = [Int](repeating: 0, count: shapeEnds.count)
        if codes.isEmpty {
            guard !shapeEnds.isEmpty else { throw DecodeError(offset: offset, field: "shapes", "none") }
            rowsOfShape[0] = rowCount
        }
        for code in codes {
            guard code >= 0, code < Int64(shapeEnds.count) else {
                throw DecodeError(offset: offset, field: "shape code", "\(code) of \(shapeEnds.count)")
            }
            rowsOfShape[Int(code)] += 1
        }
        var total = 0
        for shape in shapeEnds.indices where rowsOfShape[shape] > 0 {
            for position in positions(of: shape) {
                columns[Int(shapeColumns[position])].valueCount += rowsOfShape[shape]
                total += rowsOfShape[shape]
            }
            guard total <= SpanBlock.valueCountMax else {
                throw DecodeError(offset: offset, field: "attributes", "more than \(SpanBlock.valueCountMax)")
            }
        }
    }

    /// Where a shape's columns stand in ``shapeColumns``.
    private func positions(of index: Int) -> Range<Int> { (index == 0 ? 0 : shapeEnds[index - 1])..<shapeEnds[index] }

    private func shape(ofRow row: Int) -> Range<Int> { positions(of: codes.isEmpty ? 0 : Int(codes[row])) }

    // MARK: Values

    private mutating func read(_ index: Int, _ bytes: [UInt8], _ shared: SpanTexts) throws(DecodeError) {
        if columns[index].isRead { return }
        var reader = ByteReader(bytes, columns[index].range)
        let count = columns[index].valueCount
        switch columns[index].type {
        case .empty: break
        case .string: if count > 0 { columns[index].texts = try SpanTextColumn(reader, count: count, shared: shared) }
        case .bool: columns[index].numbers = try reader.integers(count)
        case .int: columns[index].numbers = try Self.numbers(&reader, count)
        case .double: columns[index].doubles = try reader.floats(count)
        case .bytes:
            let texts = try SpanTexts(&reader, count: count)
            columns[index].others = (0..<count).map { .bytes(Array(texts.bytes[texts.starts[$0]..<texts.starts[$0 + 1]])) }
        case .other:
            let frame = try BlockCodec.frame(&reader, isWanted: true) ?? []
            columns[index].others = try BlockCodec.rows(frame, count) { table throws(DecodeError) in try table.attributeValue(depth: 0) }
        }
        columns[index].isRead = true
    }

    private static func numbers(_ reader: inout ByteReader, _ count: Int) throws(DecodeError) -> [Int64] {
        let layout = try reader.byte("integers")
        if layout == 0 { return try reader.integers(count) }
        let dictionaryCount = try reader.varint("integers")
        guard layout == 1, dictionaryCount <= UInt64(SpanAttributeEncoder.dictionaryCountMax) else {
            throw DecodeError(offset: reader.offset, field: "integers", "layout \(layout) with \(dictionaryCount) of them")
        }
        let dictionary = try reader.integers(Int(dictionaryCount))
        var numbers = try reader.integers(count)
        for index in numbers.indices {
            guard numbers[index] >= 0, numbers[index] < Int64(dictionary.count) else {
                throw DecodeError(offset: reader.offset, field: "integer code", "\(numbers[index]) of \(dictionary.count)")
            }
            numbers[index] = dictionary[Int(numbers[index])]
        }
        return numbers
    }

    /// Gives the spans at `rows` their attributes, in their order.
    mutating func read(
        _ rows: [Int], _ bytes: [UInt8], _ names: Set<String>?, _ shared: SpanTexts, into spans: inout [TraceSpan]
    ) throws(DecodeError) {
        var isWanted: [Bool] = []
        for index in columns.indices { isWanted.append(names?.contains(columns[index].name) ?? true) }
        for index in columns.indices where isWanted[index] { try read(index, bytes, shared) }
        var positions = [Int](repeating: 0, count: columns.count)
        var next = 0
        for row in 0..<rowCount {
            guard next < rows.count else { return }
            let shape = shape(ofRow: row)
            if rows[next] != row {
                for position in shape { positions[Int(shapeColumns[position])] += 1 }
                continue
            }
            var attributes: [Attribute] = []
            attributes.reserveCapacity(names == nil ? shape.count : 0)
            for position in shape {
                let column = Int(shapeColumns[position])
                if isWanted[column] { attributes.append(Attribute(columns[column].name, columns[column].value(positions[column]))) }
                positions[column] += 1
            }
            spans[next].attributes = attributes
            next += 1
        }
    }

    // MARK: Conditions

    /// The rows among `rows` (nil: all) for which the condition holds of the first attribute of its name.
    mutating func select(
        _ rows: [Int]?, _ condition: SpanConditions.Attribute, _ bytes: [UInt8], _ shared: SpanTexts
    ) throws(DecodeError) -> [Int] {
        // By shape: the column that holds the first attribute of the name, or -1.
        var columnOfShape = [Int](repeating: -1, count: shapeEnds.count)
        var isNamed = [Bool](repeating: false, count: columns.count)
        for index in columns.indices where columns[index].name.utf8.elementsEqual(condition.name.utf8) { isNamed[index] = true }
        guard isNamed.contains(true) else { return [] }
        for shape in shapeEnds.indices {
            if let position = self.positions(of: shape).first(where: { isNamed[Int(shapeColumns[$0])] }) { columnOfShape[shape] = Int(shapeColumns[position]) }
        }
        var tests: [Test] = []
        for index in columns.indices {
            tests.append(isNamed[index] ? try test(index, condition.test, bytes, shared) : .always(false))
        }
        if tests.indices.allSatisfy({ !isNamed[$0] || tests[$0].isNever }) { return [] }
        var positions = [Int](repeating: 0, count: columns.count)
        var (selected, next) = ([Int](), 0)
        for row in 0..<rowCount {
            if let rows, next >= rows.count { break }
            let shape = codes.isEmpty ? 0 : Int(codes[row])
            let isAsked = rows.map { $0[next] == row } ?? true
            if isAsked { next += 1 }
            let column = columnOfShape[shape]
            if column < 0 { continue }
            if isAsked, tests[column].holds(positions[column]) { selected.append(row) }
            for position in self.positions(of: shape) where isNamed[Int(shapeColumns[position])] { positions[Int(shapeColumns[position])] += 1 }
        }
        return selected
    }

    /// A condition made ready for one column.
    private enum Test {
        case always(Bool)
        case texts(SpanTextColumn.Verdicts)
        case values([Bool])

        var isNever: Bool {
            switch self {
            case .always(let holds): !holds
            case .texts(let verdicts): verdicts.isNever
            case .values(let verdicts): !verdicts.contains(true)
            }
        }

        @inline(__always)
        func holds(_ value: Int) -> Bool {
            switch self {
            case .always(let holds): holds
            case .texts(let verdicts): verdicts.holds(value)
            case .values(let verdicts): verdicts[value]
            }
        }
    }

    private mutating func test(
        _ index: Int, _ test: SpanConditions.Attribute.Test, _ bytes: [UInt8], _ shared: SpanTexts
    ) throws(DecodeError) -> Test {
        if case .exists = test { return .always(true) }
        try read(index, bytes, shared)
        switch (columns[index].type, test) {
        case (.empty, _): return .always(false)
        case (.string, .compare(.equal, .string(let text))): return .texts(columns[index].texts.verdicts(equalTo: text, isNegated: false))
        case (.string, .compare(.notEqual, .string(let text))): return .texts(columns[index].texts.verdicts(equalTo: text, isNegated: true))
        case (.string, .compare(_, .string)), (.string, .matches):
            return .texts(columns[index].texts.verdicts { test.holds(.string($0)) })
        case (.string, _): return .always(false)
        case (.int, .compare(let comparison, .int(let number))):
            return .values(columns[index].numbers.map { comparison.holds($0, number) })
        default:
            return .values((0..<columns[index].valueCount).map { test.holds(columns[index].value($0)) })
        }
    }
}
