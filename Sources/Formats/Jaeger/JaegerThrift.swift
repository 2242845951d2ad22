import Codecs
package import Telemetry

/// Jaeger's Thrift model (jaeger.thrift): the `Batch` that clients post to a collector's `/api/traces`.
package enum JaegerThrift {
    /// Decodes a `Batch` in Thrift's binary protocol; its spans become OpenTelemetry's, as the Collector translates them.
    ///
    /// - Throws: ``FormatError``.
    package static func decodeBatch(_ bytes: Span<UInt8>) throws(FormatError) -> SpanBatch {
        var batch = SpanBatch()
        do throws(DecodeError) {
            var reader = ThriftReader(bytes)
            var resource = Resource.unknown
            var spans: [TraceSpan] = []
            while let field = try reader.field(in: bytes) {
                switch (field.id, field.kind) {
                case (1, .structure): resource = try process(&reader, bytes)
                case (2, .list):
                    let count = try reader.list(of: .structure, "Batch.spans", in: bytes)
                    for _ in 0..<count { spans.append(try span(&reader, bytes).translated()) }
                default: try reader.skip(field.kind, in: bytes)
                }
            }
            if !spans.isEmpty { batch.groups.append(SpanBatch.Group(resource: resource, spans: spans)) }
        } catch {
            throw FormatError("Jaeger Thrift", error)
        }
        return batch
    }

    private static func process(_ reader: inout ThriftReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Resource {
        var name = ""
        var attributes: [Attribute] = []
        while let field = try reader.field(in: bytes) {
            switch (field.id, field.kind) {
            case (1, .string): name = try reader.string(in: bytes)
            case (2, .list): attributes = try tags(&reader, bytes)
            default: try reader.skip(field.kind, in: bytes)
            }
        }
        attributes.removeAll { $0.name == "service.name" }
        return Resource([Attribute("service.name", .string(name))] + attributes)
    }

    private static func span(_ reader: inout ThriftReader, _ bytes: Span<UInt8>) throws(DecodeError) -> JaegerSpan {
        var span = JaegerSpan()
        while let field = try reader.field(in: bytes) {
            switch (field.id, field.kind) {
            case (1, .int64): span.traceLow = try reader.int64(in: bytes)
            case (2, .int64): span.traceHigh = try reader.int64(in: bytes)
            case (3, .int64): span.id = try reader.int64(in: bytes)
            case (4, .int64): span.parentID = try reader.int64(in: bytes)
            case (5, .string): span.operation = try reader.string(in: bytes)
            case (6, .list):
                for _ in 0..<(try reader.list(of: .structure, "Span.references", in: bytes)) {
                    span.references.append(try reference(&reader, bytes))
                }
            case (7, .int32): span.flags = try reader.int32(in: bytes)
            case (8, .int64): span.startMicroseconds = try reader.int64(in: bytes)
            case (9, .int64): span.durationMicroseconds = try reader.int64(in: bytes)
            case (10, .list): span.tags = try tags(&reader, bytes)
            case (11, .list):
                for _ in 0..<(try reader.list(of: .structure, "Span.logs", in: bytes)) {
                    span.logs.append(try log(&reader, bytes))
                }
            default: try reader.skip(field.kind, in: bytes)
            }
        }
        return span
    }

    private static func reference(
        _ reader: inout ThriftReader, _ bytes: Span<UInt8>
    ) throws(DecodeError) -> JaegerSpan.Reference {
        var reference = JaegerSpan.Reference()
        while let field = try reader.field(in: bytes) {
            switch (field.id, field.kind) {
            case (1, .int32): reference.isFollowsFrom = try reader.int32(in: bytes) == 1
            case (2, .int64): reference.traceLow = try reader.int64(in: bytes)
            case (3, .int64): reference.traceHigh = try reader.int64(in: bytes)
            case (4, .int64): reference.spanID = try reader.int64(in: bytes)
            default: try reader.skip(field.kind, in: bytes)
            }
        }
        return reference
    }

    private static func log(_ reader: inout ThriftReader, _ bytes: Span<UInt8>) throws(DecodeError) -> JaegerSpan.Log {
        var log = JaegerSpan.Log()
        while let field = try reader.field(in: bytes) {
            switch (field.id, field.kind) {
            case (1, .int64): log.microseconds = try reader.int64(in: bytes)
            case (2, .list): log.fields = try tags(&reader, bytes)
            default: try reader.skip(field.kind, in: bytes)
            }
        }
        return log
    }

    private static func tags(_ reader: inout ThriftReader, _ bytes: Span<UInt8>) throws(DecodeError) -> [Attribute] {
        let count = try reader.list(of: .structure, "tags", in: bytes)
        var tags: [Attribute] = []
        for _ in 0..<count { tags.append(try tag(&reader, bytes)) }
        return tags
    }

    /// A `Tag`: `vType` says which of its values counts.
    private static func tag(_ reader: inout ThriftReader, _ bytes: Span<UInt8>) throws(DecodeError) -> Attribute {
        var (name, type) = ("", Int32(0))
        var (text, double, bool, long, binary) = ("", 0.0, false, Int64(0), [UInt8]())
        while let field = try reader.field(in: bytes) {
            switch (field.id, field.kind) {
            case (1, .string): name = try reader.string(in: bytes)
            case (2, .int32): type = try reader.int32(in: bytes)
            case (3, .string): text = try reader.string(in: bytes)
            case (4, .double): double = try reader.double(in: bytes)
            case (5, .bool): bool = try reader.bool(in: bytes)
            case (6, .int64): long = try reader.int64(in: bytes)
            case (7, .string): binary = try reader.binary(in: bytes)
            default: try reader.skip(field.kind, in: bytes)
            }
        }
        switch type {
        case 1: return Attribute(name, .double(double))
        case 2: return Attribute(name, .bool(bool))
        case 3: return Attribute(name, .int(long))
        case 4: return Attribute(name, .bytes(binary))
        default: return Attribute(name, .string(text))
        }
    }
}
