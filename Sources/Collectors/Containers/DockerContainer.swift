import Codecs
import Formats

/// What Docker's API says of a container (Engine API v1.41, `GET /containers/json` and `GET /containers/{id}/json`).
struct DockerContainer: Sendable, Hashable {
    var id: String
    var name: String
    var image: String
    var labels: [String: String]
    /// Seconds since the Unix epoch; nil where it was not asked.
    var startedAt: Double?

    /// Reads the list of running containers; nil where the text is none.
    static func list(_ bytes: [UInt8]) -> [DockerContainer]? {
        guard let items = (try? JSONValue(parsing: bytes.span))?.array else { return nil }
        return items.compactMap { item in
            guard let id = item["Id"]?.string else { return nil }
            let name = item["Names"]?[0]?.string ?? ""
            var container = DockerContainer(
                id: id, name: name.hasPrefix("/") ? String(name.dropFirst()) : name, image: item["Image"]?.string ?? "", labels: [:])
            for member in item["Labels"]?.object?.members ?? [] { container.labels[member.name] = member.value.string }
            return container
        }
    }

    /// When a container was started, of what Docker says about one.
    static func startTime(_ bytes: [UInt8]) -> Double? {
        let text = (try? JSONValue(parsing: bytes.span))?["State"]?["StartedAt"]?.string
        guard let nanoseconds = RFC3339.nanoseconds((text ?? "").utf8) else { return nil }
        return Double(nanoseconds / 1_000_000_000)
    }
}
