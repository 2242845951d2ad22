import Codecs
import Formats

/// Snapshots: taken, listed, read file by file (which is how `apus backup` takes one away), removed.
struct SnapshotRoutes {
    let administration: any StoreAdministration

    /// Bytes of a file that one answer carries at most.
    private static let byteCountMax = 8 << 20

    var routes: [Route] {
        [
            .post("/api/apus/snapshots", scope: .admin, errors: .apus) { _ in try await take() },
            .get("/api/apus/snapshots", scope: .admin, errors: .apus) { _ in try list() },
            .get("/api/apus/snapshots/{name}", scope: .admin, errors: .apus) { try files($0.captures[0]) },
            .get("/api/apus/snapshots/{name}/file", scope: .admin, errors: .apus) { try file($0) },
            Route([.delete], "/api/apus/snapshots/{name}", scope: .admin, errors: .apus) { call in
                try administration.removeSnapshot(call.captures[0])
                return .empty(status: 204)
            },
        ]
    }

    private func take() async throws -> Answer {
        try files(try await administration.takeSnapshot(skipsMemory: false))
    }

    private func list() throws -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.key("snapshots")
        json.beginArray()
        for name in try administration.snapshots() { json.string(name) }
        json.endArray()
        json.endObject()
        return .json(json.bytes)
    }

    private func files(_ name: String) throws -> Answer {
        var json = JSONWriter()
        json.beginObject()
        json.field("name", name)
        json.key("files")
        json.beginArray()
        for file in try administration.files(ofSnapshot: name) {
            json.beginObject()
            json.field("path", file.path)
            json.field("bytes", file.byteCount)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return .json(json.bytes)
    }

    private func file(_ call: Call) throws -> Answer {
        guard let path = call.query.nonEmpty("path") else { throw APIError.parameter("path", "it is missing") }
        func number(_ name: String, _ standard: Int) throws(APIError) -> Int {
            guard let text = call.query.nonEmpty(name) else { return standard }
            guard let number = Int(text), number >= 0 else { throw .parameter(name, "\"\(text)\" is no number of bytes") }
            return number
        }
        let count = min(try number("count", Self.byteCountMax), Self.byteCountMax)
        let bytes = try administration.read(path, ofSnapshot: call.captures[0], at: try number("offset", 0), count: count)
        var answer = Answer(contentType: "application/octet-stream", body: bytes)
        // Parts are compressed already.
        answer.mayCompress = false
        return answer
    }
}
