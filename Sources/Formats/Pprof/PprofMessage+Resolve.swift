import Codecs
import Telemetry

extension PprofMessage {
    /// Resolves every reference and makes one profile a sample type.
    func decoded(defaultTimestamp: Int64) throws(DecodeError) -> Pprof.Decoded {
        guard !sampleTypes.isEmpty else {
            throw DecodeError(offset: 0, field: "Profile.sample_type", "the profile has no sample types: is this a profile?")
        }
        var resolver = PprofResolver(message: self)
        var stackIndexes: [[UInt32]: Int] = [:]
        var stacks: [[UInt32]] = []
        var sums: [[Int64]] = []
        for sample in samples {
            guard sample.values.count == sampleTypes.count else {
                throw DecodeError(
                    offset: sample.offset, field: "Sample.value",
                    "the sample has \(sample.values.count) values for \(sampleTypes.count) sample types")
            }
            let stack = try resolver.stack(sample)
            if let index = stackIndexes[stack] {
                for type in sample.values.indices { sums[index][type] &+= sample.values[type] }
            } else {
                stackIndexes[stack] = stacks.count
                stacks.append(stack)
                sums.append(sample.values)
            }
        }
        var profiles: [(type: Pprof.SampleType, profile: Profile)] = []
        for (index, sampleType) in sampleTypes.enumerated() {
            var profile = Profile(
                timestamp: timeNanoseconds > 0 ? timeNanoseconds : defaultTimestamp, duration: max(0, durationNanoseconds),
                frames: resolver.frames, stacks: [], values: [])
            for (stack, values) in zip(stacks, sums) where values[index] != 0 {
                profile.stacks.append(stack)
                profile.values.append(values[index])
            }
            profiles.append((try type(sampleType), profile))
        }
        return Pprof.Decoded(
            profiles: profiles, periodType: try type(periodType), period: period,
            defaultSampleType: try string(defaultSampleType, "Profile.default_sample_type"))
    }

    func type(_ type: ValueType) throws(DecodeError) -> Pprof.SampleType {
        Pprof.SampleType(
            type: try string(type.type, "ValueType.type"), unit: try string(type.unit, "ValueType.unit"))
    }

    /// An entry of the string table; 0 is the empty string, whether there is a table or not.
    func string(_ index: Int64, _ field: String, offset: Int = 0) throws(DecodeError) -> String {
        if index == 0 { return "" }
        guard index > 0, index < Int64(strings.count) else {
            throw DecodeError(offset: offset, field: field, "string \(index) is not among the \(strings.count) of the table")
        }
        return strings[Int(index)]
    }
}

/// Turns locations into frames, each frame once.
private struct PprofResolver {
    let message: PprofMessage
    private(set) var frames: [Profile.Frame] = []
    private var frameIndexes: [Profile.Frame: UInt32] = [:]
    /// The frames of each location, caller first.
    private var framesOfLocations: [UInt64: [UInt32]] = [:]

    /// How many frames all stacks have together.
    private var frameCount = 0

    /// The deepest stack: Go cuts its own at 128, but a location may hold many inlined calls.
    private static let frameCountOfStackMax = 65_536
    /// The frames of all stacks, four bytes each. A small message can name the same locations over and over.
    private static let frameCountMax = 32 << 20

    init(message: PprofMessage) {
        self.message = message
    }

    /// A sample's frames, root first. The message has the leaf first, and in a location the innermost of inlined calls first.
    mutating func stack(_ sample: PprofMessage.Sample) throws(DecodeError) -> [UInt32] {
        var stack: [UInt32] = []
        stack.reserveCapacity(sample.locations.count)
        for id in sample.locations.reversed() {
            if framesOfLocations[id] == nil {
                guard let location = message.locations[id] else {
                    throw DecodeError(offset: sample.offset, field: "Sample.location_id", "there is no location \(id)")
                }
                framesOfLocations[id] = try frames(of: location)
            }
            stack.append(contentsOf: framesOfLocations[id] ?? [])
            guard stack.count <= Self.frameCountOfStackMax else {
                throw DecodeError(
                    offset: sample.offset, field: "Sample.location_id",
                    "the stack is deeper than \(Self.frameCountOfStackMax) frames")
            }
        }
        frameCount += stack.count
        guard frameCount <= Self.frameCountMax else {
            throw DecodeError(
                offset: sample.offset, field: "Profile.sample", "the stacks have more than \(Self.frameCountMax) frames together")
        }
        return stack
    }

    private mutating func frames(of location: PprofMessage.Location) throws(DecodeError) -> [UInt32] {
        var result: [UInt32] = []
        for line in location.lines.reversed() {
            guard let function = message.functions[line.function] else {
                throw DecodeError(offset: location.offset, field: "Line.function_id", "there is no function \(line.function)")
            }
            var name = try message.string(function.name, "Function.name", offset: location.offset)
            if name.isEmpty { name = try message.string(function.systemName, "Function.system_name", offset: location.offset) }
            let file = try message.string(function.file, "Function.filename", offset: location.offset)
            result.append(index(Profile.Frame(function: name, file: file, line: line.line)))
        }
        return result.isEmpty ? [index(try unsymbolised(location))] : result
    }

    /// A frame for an address that nobody has put a name to: the binary and the address.
    private func unsymbolised(_ location: PprofMessage.Location) throws(DecodeError) -> Profile.Frame {
        let fileIndex = message.mappings[location.mapping]?.file ?? 0
        let path = try message.string(fileIndex, "Mapping.filename", offset: location.offset)
        let binary = path.split(separator: "/").last.map(String.init) ?? ""
        let address = "0x" + String(location.address, radix: 16)
        return Profile.Frame(function: binary.isEmpty ? address : "\(binary) \(address)", file: path)
    }

    private mutating func index(_ frame: Profile.Frame) -> UInt32 {
        if let index = frameIndexes[frame] { return index }
        let index = UInt32(truncatingIfNeeded: frames.count)
        frames.append(frame)
        frameIndexes[frame] = index
        return index
    }
}
