import Codecs
import Telemetry

// A change of small state. Byte for byte: docs/format/wal.md, "Payloads".

extension TextTableWriter {
    mutating func append(_ change: StateChange) {
        append(change.namespace)
        append(change.key)
        guard let value = change.value else {
            body.append(0)
            return
        }
        body.append(1)
        body.append(count: value.count)
        body += value
    }
}

extension TextTableReader {
    mutating func stateChange() throws(DecodeError) -> StateChange {
        let namespace = try text("namespace")
        let key = try text("key")
        switch try body.byte("state") {
        case 0: return StateChange(namespace, key, nil)
        case 1:
            let range = try body.take(try body.count("state value"), "state value")
            return StateChange(namespace, key, Array(body.bytes[range]))
        case let flag: throw DecodeError(offset: body.offset, field: "state", "flag \(flag), 0 or 1 expected")
        }
    }
}
