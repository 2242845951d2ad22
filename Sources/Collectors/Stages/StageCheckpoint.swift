import Codecs
import Telemetry

/// An entry that a stage holds back, with what the stage must know of it.
struct HeldEntry: Sendable, Hashable {
    var entry: StageEntry
    /// The lines of its block so far; 0: none of them is here yet, the entry only began the one before.
    var lineCount = 1
    /// When the last line came, in nanoseconds since the Unix epoch.
    var lastTime: Int64 = 0
    /// Stages within the stage that hold it, outermost first.
    var path: [Int] = []
}

/// What the stages of a pipeline hold back, as bytes (JSON) that outlive the process.
enum StageCheckpoint {
    private static let version = 1

    static func encode(_ chain: StageChain) -> [UInt8] {
        var json = JSONWriter(escapesHTML: false)
        json.object { json in
            json.field("version", version)
            json.field("stages", chain.names)
            json.key("held")
            json.array { json in
                for (index, stage) in chain.stages.enumerated() {
                    for held in stage.held { write(held, stage: index, &json) }
                }
            }
        }
        return json.bytes
    }

    /// - Returns: false where the bytes are damaged, or were written by other stages.
    static func restore(_ bytes: [UInt8], into chain: inout StageChain) -> Bool {
        guard let value = try? JSONValue(parsing: bytes.span), value["version"]?.int64 == Int64(version),
            value["stages"]?.array?.map({ $0.string ?? "" }) == chain.names, let list = value["held"]?.array
        else { return false }
        var byStage: [Int: [HeldEntry]] = [:]
        for item in list {
            guard let stage = item["stage"]?.int64.flatMap({ Int(exactly: $0) }), let held = read(item) else { return false }
            byStage[stage, default: []].append(held)
        }
        for (stage, held) in byStage { chain.restore(held, stage: stage) }
        return true
    }

    private static func write(_ held: HeldEntry, stage: Int, _ json: inout JSONWriter) {
        let entry = held.entry
        json.object { json in
            json.field("stage", stage)
            if !held.path.isEmpty {
                json.key("path")
                json.array { json in for index in held.path { json.integer(index) } }
            }
            json.field("lines", held.lineCount)
            json.field("last", held.lastTime)
            json.field("timestamp", entry.timestamp)
            json.field("line", entry.line)
            if !entry.tenant.isEmpty { json.field("tenant", entry.tenant) }
            json.key("labels")
            write(entry.labels, &json)
            json.key("metadata")
            write(entry.metadata, &json)
            json.key("extracted")
            json.object { json in
                for (name, value) in entry.extracted.all {
                    json.key(name)
                    switch value {
                    case .null: json.null()
                    case .string(let text): json.string(text)
                    case .number(let number): json.double(number)
                    case .bool(let bool): json.bool(bool)
                    }
                }
            }
        }
    }

    private static func write(_ labels: Labels, _ json: inout JSONWriter) {
        json.object { json in for pair in labels.pairs { json.field(pair.name, pair.value) } }
    }

    private static func read(_ item: JSONValue) -> HeldEntry? {
        guard let timestamp = item["timestamp"]?.int64, let line = item["line"]?.string, let lines = item["lines"]?.int64,
            let lineCount = Int(exactly: lines), let last = item["last"]?.int64
        else { return nil }
        var entry = StageEntry(
            LogRecord(
                labels: labels(item["labels"]), timestamp: timestamp, line: line, metadata: labels(item["metadata"]),
                tenant: item["tenant"]?.string ?? ""))
        for member in item["extracted"]?.object?.members ?? [] {
            switch member.value {
            case .null: entry.extracted[member.name] = .null
            case .string(let text): entry.extracted[member.name] = .string(text)
            case .number(let number): entry.extracted[member.name] = .number(number.double)
            case .bool(let bool): entry.extracted[member.name] = .bool(bool)
            case .array, .object: break
            }
        }
        let path = item["path"]?.array?.compactMap { $0.int64.flatMap { Int(exactly: $0) } } ?? []
        return HeldEntry(entry: entry, lineCount: lineCount, lastTime: last, path: path)
    }

    private static func labels(_ value: JSONValue?) -> Labels {
        Labels((value?.object?.members ?? []).compactMap { member in member.value.string.map { Label(member.name, $0) } })
    }
}
