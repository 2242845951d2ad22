import Codecs
import Telemetry

// Profiles as rows hold them. Byte for byte: docs/format/rows.md.

extension TextTableWriter {
    mutating func append(_ profile: Profile) {
        body.append(signed: profile.timestamp)
        body.append(signed: profile.duration)
        body.append(count: profile.frames.count)
        for frame in profile.frames {
            append(frame.function)
            append(frame.file)
            body.append(signed: frame.line)
        }
        // A stack without a value counts nothing; a value without a stack cannot be drawn.
        let stackCount = min(profile.stacks.count, profile.values.count)
        body.append(count: stackCount)
        for index in 0..<stackCount {
            body.append(signed: profile.values[index])
            body.append(count: profile.stacks[index].count)
            for frame in profile.stacks[index] { body.append(varint: UInt64(frame)) }
        }
    }
}

extension TextTableReader {
    mutating func profile() throws(DecodeError) -> Profile {
        var profile = Profile(
            timestamp: try body.signed("timestamp"), duration: try body.signed("duration"), frames: [], stacks: [], values: [])
        let frameCount = try body.count("frames", byteCountMin: 3)
        profile.frames.reserveCapacity(frameCount)
        for _ in 0..<frameCount {
            profile.frames.append(Profile.Frame(function: try text("function"), file: try text("file"), line: try body.signed("line")))
        }
        let stackCount = try body.count("stacks", byteCountMin: 2)
        profile.stacks.reserveCapacity(stackCount)
        profile.values.reserveCapacity(stackCount)
        for _ in 0..<stackCount {
            profile.values.append(try body.signed("value"))
            let depth = try body.count("stack depth")
            var stack: [UInt32] = []
            stack.reserveCapacity(depth)
            for _ in 0..<depth { stack.append(try body.uint32("frame")) }
            profile.stacks.append(stack)
        }
        return profile
    }
}
