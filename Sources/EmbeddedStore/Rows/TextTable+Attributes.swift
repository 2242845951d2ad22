import Codecs
import Telemetry

// Labels, attributes and resources as rows hold them. Byte for byte: docs/format/rows.md.

extension TextTableWriter {
    /// Deeper values are written as their JSON text: readers recurse no deeper.
    static let attributeDepthMax = 32

    mutating func append(_ labels: Labels) {
        body.append(count: labels.count)
        for pair in labels.pairs {
            append(pair.name)
            append(pair.value)
        }
    }

    mutating func append(_ resource: Resource) {
        append(resource.attributes)
    }

    mutating func append(_ attributes: [Attribute], depth: Int = 0) {
        body.append(count: attributes.count)
        for attribute in attributes {
            append(attribute.name)
            append(attribute.value, depth: depth)
        }
    }

    mutating func append(_ value: AttributeValue, depth: Int) {
        switch value {
        case .empty: body.append(0)
        case .string(let text):
            body.append(1)
            append(text)
        case .bool(let flag): body.append(flag ? 3 : 2)
        case .int(let number):
            body.append(4)
            body.append(signed: number)
        case .double(let number):
            body.append(5)
            body.append(double: number)
        case .bytes(let bytes):
            body.append(6)
            body.append(count: bytes.count)
            body += bytes
        case .array(let values) where depth < Self.attributeDepthMax:
            body.append(7)
            body.append(count: values.count)
            for value in values { append(value, depth: depth + 1) }
        case .map(let attributes) where depth < Self.attributeDepthMax:
            body.append(8)
            append(attributes, depth: depth + 1)
        case .array, .map:
            body.append(1)
            append(value.json)
        }
    }
}

extension TextTableReader {
    mutating func labels() throws(DecodeError) -> Labels {
        let count = try body.count("labels", byteCountMin: 2)
        if count == 0 { return .empty }
        var pairs: [Label] = []
        pairs.reserveCapacity(count)
        for _ in 0..<count { pairs.append(Label(try text("label name"), try text("label value"))) }
        return Labels(sorted: pairs)
    }

    mutating func resource() throws(DecodeError) -> Resource {
        Resource(try attributes())
    }

    mutating func attributes(depth: Int = 0) throws(DecodeError) -> [Attribute] {
        let count = try body.count("attributes", byteCountMin: 2)
        if count == 0 { return [] }
        var attributes: [Attribute] = []
        attributes.reserveCapacity(count)
        for _ in 0..<count { attributes.append(Attribute(try text("attribute name"), try attributeValue(depth: depth))) }
        return attributes
    }

    mutating func attributeValue(depth: Int) throws(DecodeError) -> AttributeValue {
        guard depth <= TextTableWriter.attributeDepthMax else {
            throw DecodeError(offset: body.offset, field: "attribute value", "nested too deeply")
        }
        let tag = try body.byte("attribute value")
        switch tag {
        case 0: return .empty
        case 1: return .string(try text("attribute value"))
        case 2: return .bool(false)
        case 3: return .bool(true)
        case 4: return .int(try body.signed("attribute value"))
        case 5: return .double(try body.double("attribute value"))
        case 6:
            let range = try body.take(try body.count("attribute bytes"), "attribute bytes")
            return .bytes(Array(body.bytes[range]))
        case 7:
            let count = try body.count("attribute array")
            var values: [AttributeValue] = []
            values.reserveCapacity(count)
            for _ in 0..<count { values.append(try attributeValue(depth: depth + 1)) }
            return .array(values)
        case 8: return .map(try attributes(depth: depth + 1))
        default: throw DecodeError(offset: body.offset, field: "attribute value", "type \(tag) is unknown")
        }
    }
}
