import Codecs
import Telemetry

/// Writes the attributes of a block's spans: one column for each name and type, and for each span its shape: which columns its
/// attributes lie in, in their order.
struct SpanAttributeEncoder {
    private struct Column {
        var name: Int32
        var type: SpanBlock.ValueType
        /// Positions of the texts.
        var texts: [Int32] = []
        /// Integers, and booleans as 0 and 1.
        var numbers: [Int64] = []
        var doubles: [Double] = []
        var bytes: [[UInt8]] = []
        var others: [AttributeValue] = []
    }

    private var columnsByType: [Column] = []
    private var shapeColumns: [[Int32]] = []
    private var codes: [Int64] = []

    init(_ spans: [TraceSpan], _ texts: inout SpanTextWriter) {
        var columnTable = WordTable(capacity: 32)
        // Shapes are the paths of a tree: a node and the next column lead to a node.
        var paths = WordTable(capacity: 64)
        var shapeOfNode: [Int32] = [-1]
        codes.reserveCapacity(spans.count)
        var path: [Int32] = []
        for span in spans {
            var node = 0
            path.removeAll(keepingCapacity: true)
            for attribute in span.attributes {
                let name = texts.index.position(of: attribute.name)
                let type = attribute.value.columnType
                let column = columnTable.value(UInt64(name) << 8 | UInt64(type.rawValue), orInsert: columnsByType.count)
                if column == columnsByType.count { columnsByType.append(Column(name: Int32(name), type: type)) }
                append(attribute.value, column, &texts)
                path.append(Int32(column))
                node = paths.value(UInt64(node) << 32 | UInt64(column), orInsert: shapeOfNode.count)
                if node == shapeOfNode.count { shapeOfNode.append(-1) }
            }
            if shapeOfNode[node] < 0 {
                shapeOfNode[node] = Int32(shapeColumns.count)
                shapeColumns.append(path)
            }
            codes.append(Int64(shapeOfNode[node]))
        }
    }

    private mutating func append(_ value: AttributeValue, _ column: Int, _ texts: inout SpanTextWriter) {
        switch value {
        case .empty: break
        case .string(let text): columnsByType[column].texts.append(Int32(texts.index.position(of: text)))
        case .bool(let flag): columnsByType[column].numbers.append(flag ? 1 : 0)
        case .int(let number): columnsByType[column].numbers.append(number)
        case .double(let number): columnsByType[column].doubles.append(number)
        case .bytes(let bytes): columnsByType[column].bytes.append(bytes)
        case .array, .map: columnsByType[column].others.append(value)
        }
    }

    /// The columns' names and types, then the shapes; nothing where no span has an attribute.
    func shapes(_ texts: inout SpanTextWriter) -> [UInt8] {
        var bytes: [UInt8] = []
        if columnsByType.isEmpty { return bytes }
        bytes.append(count: columnsByType.count)
        texts.append(columnsByType.map(\.name), to: &bytes)
        // The names' column says nothing about where it ends.
        var table: [UInt8] = []
        for column in columnsByType { table.append(column.type.rawValue) }
        table.append(count: shapeColumns.count)
        for shape in shapeColumns {
            table.append(count: shape.count)
            for column in shape { table.append(varint: UInt64(column)) }
        }
        return table.withCount + bytes
    }

    func shapeCodes() -> [UInt8] {
        var bytes: [UInt8] = []
        if shapeColumns.count > 1 { IntegerColumn.append(codes, to: &bytes) }
        return bytes
    }

    func columns(_ texts: inout SpanTextWriter) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for column in columnsByType {
            var bytes: [UInt8] = []
            switch column.type {
            case .empty: break
            case .string: texts.append(column.texts, to: &bytes)
            case .bool: IntegerColumn.append(column.numbers, to: &bytes)
            case .int: Self.append(column.numbers, to: &bytes)
            case .double: FloatColumn.append(column.doubles, to: &bytes)
            case .bytes:
                IntegerColumn.append(column.bytes.map { Int64($0.count) }, to: &bytes)
                BlockCodec.appendFrame(column.bytes.flatMap { $0 }, to: &bytes)
            case .other: BlockCodec.append(column.others, to: &bytes) { value, writer in writer.append(value, depth: 0) }
            }
            result.append(bytes)
        }
        return result
    }

    /// At most so many different numbers are written as codes: beyond, the table eats what the codes save.
    static let dictionaryCountMax = 64

    /// A byte, then the numbers (0), or their count, the different ones and the codes (1).
    private static func append(_ numbers: [Int64], to bytes: inout [UInt8]) {
        var table = WordTable(capacity: dictionaryCountMax * 2)
        var dictionary: [Int64] = []
        var codes: [Int64] = []
        codes.reserveCapacity(numbers.count)
        for number in numbers {
            let code = table.value(UInt64(bitPattern: number), orInsert: dictionary.count)
            if code == dictionary.count {
                if dictionary.count == dictionaryCountMax { break }
                dictionary.append(number)
            }
            codes.append(Int64(code))
        }
        guard codes.count == numbers.count, dictionary.count * 4 <= numbers.count else {
            bytes.append(0)
            IntegerColumn.append(numbers, to: &bytes)
            return
        }
        bytes.append(1)
        bytes.append(count: dictionary.count)
        IntegerColumn.append(dictionary, to: &bytes)
        IntegerColumn.append(codes, to: &bytes)
    }
}

extension AttributeValue {
    /// The type of the column that the value lies in.
    var columnType: SpanBlock.ValueType {
        switch self {
        case .empty: .empty
        case .string: .string
        case .bool: .bool
        case .int: .int
        case .double: .double
        case .bytes: .bytes
        case .array, .map: .other
        }
    }
}

extension [UInt8] {
    /// Themselves behind their count.
    fileprivate var withCount: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(count: count)
        return bytes + self
    }
}
