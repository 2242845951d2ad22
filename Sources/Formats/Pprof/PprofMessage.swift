import Codecs
import Telemetry

/// `perftools.profiles.Profile` as read: numbers that point at each other.
struct PprofMessage {
    struct ValueType {
        var type: Int64 = 0
        var unit: Int64 = 0
    }

    struct Sample {
        var locations: [UInt64] = []
        var values: [Int64] = []
        var offset = 0
    }

    struct Mapping {
        var file: Int64 = 0
    }

    struct Line {
        var function: UInt64 = 0
        var line: Int64 = 0
    }

    struct Location {
        var mapping: UInt64 = 0
        var address: UInt64 = 0
        var lines: [Line] = []
        var offset = 0
    }

    struct Function {
        var name: Int64 = 0
        var systemName: Int64 = 0
        var file: Int64 = 0
    }

    var sampleTypes: [ValueType] = []
    var samples: [Sample] = []
    var mappings: [UInt64: Mapping] = [:]
    var locations: [UInt64: Location] = [:]
    var functions: [UInt64: Function] = [:]
    var strings: [String] = []
    var timeNanoseconds: Int64 = 0
    var durationNanoseconds: Int64 = 0
    var periodType = ValueType()
    var period: Int64 = 0
    var defaultSampleType: Int64 = 0

    init(_ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: sampleTypes.append(try Self.valueType(try field.message("Profile.sample_type"), bytes))
            case 2: samples.append(try Self.sample(field, bytes))
            case 3: try addMapping(try field.message("Profile.mapping"), bytes)
            case 4: try addLocation(field, bytes)
            case 5: try addFunction(try field.message("Profile.function"), bytes)
            case 6: strings.append(try field.string("Profile.string_table", in: bytes))
            case 9: timeNanoseconds = try field.int64("Profile.time_nanos")
            case 10: durationNanoseconds = try field.int64("Profile.duration_nanos")
            case 11: periodType = try Self.valueType(try field.message("Profile.period_type"), bytes)
            case 12: period = try field.int64("Profile.period")
            case 14: defaultSampleType = try field.int64("Profile.default_sample_type")
            default: break
            }
        }
    }

    private static func valueType(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) -> ValueType {
        var reader = message
        var type = ValueType()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: type.type = try field.int64("ValueType.type")
            case 2: type.unit = try field.int64("ValueType.unit")
            default: break
            }
        }
        return type
    }

    private static func sample(_ field: ProtobufField, _ bytes: Span<UInt8>) throws(DecodeError) -> Sample {
        var reader = try field.message("Profile.sample")
        var sample = Sample(offset: field.offset)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: try field.appendUInt64s("Sample.location_id", in: bytes, to: &sample.locations)
            case 2: try field.appendInt64s("Sample.value", in: bytes, to: &sample.values)
            default: break
            }
        }
        return sample
    }

    private mutating func addMapping(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = message
        var id = UInt64(0)
        var mapping = Mapping()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: id = try field.uint64("Mapping.id")
            case 5: mapping.file = try field.int64("Mapping.filename")
            default: break
            }
        }
        mappings[id] = mapping
    }

    private mutating func addLocation(_ field: ProtobufField, _ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = try field.message("Profile.location")
        var id = UInt64(0)
        var location = Location(offset: field.offset)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: id = try field.uint64("Location.id")
            case 2: location.mapping = try field.uint64("Location.mapping_id")
            case 3: location.address = try field.uint64("Location.address")
            case 4:
                var message = try field.message("Location.line")
                var line = Line()
                while let field = try message.next(in: bytes) {
                    switch field.number {
                    case 1: line.function = try field.uint64("Line.function_id")
                    case 2: line.line = try field.int64("Line.line")
                    default: break
                    }
                }
                location.lines.append(line)
            default: break
            }
        }
        locations[id] = location
    }

    private mutating func addFunction(_ message: ProtobufReader, _ bytes: Span<UInt8>) throws(DecodeError) {
        var reader = message
        var id = UInt64(0)
        var function = Function()
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 1: id = try field.uint64("Function.id")
            case 2: function.name = try field.int64("Function.name")
            case 3: function.systemName = try field.int64("Function.system_name")
            case 4: function.file = try field.int64("Function.filename")
            default: break
            }
        }
        functions[id] = function
    }
}
