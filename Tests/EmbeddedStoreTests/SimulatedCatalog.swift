import Synchronization
import Telemetry

@testable import EmbeddedStore

/// A catalogue on a ``SimulatedDisk``: one file that is replaced at every change, so that a failed change is made as a whole or not at all.
final class SimulatedCatalog: StateCatalog {
    private let disk: SimulatedDisk
    private let folder: String
    private let values = Mutex<[String: [String: [UInt8]]]>([:])

    private var path: String { folder + "/catalog" }

    init(_ disk: SimulatedDisk, folder: String) throws(StoreError) {
        self.disk = disk
        self.folder = folder
        guard disk.contents(path) != nil else { return }
        do {
            var table = try TextTableReader(ByteReader(try disk.contents(of: path)))
            var read: [String: [String: [UInt8]]] = [:]
            for _ in 0..<(try table.body.count("values")) {
                let change = try table.stateChange()
                read[change.namespace, default: [:]][change.key] = change.value
            }
            values.withLock { $0 = read }
        } catch { throw StoreError(.corrupted, "\(path): \(error)") }
    }

    func value(_ key: String, in namespace: String) throws(StoreError) -> [UInt8]? {
        values.withLock { $0[namespace]?[key] }
    }

    func values(in namespace: String) throws(StoreError) -> [String: [UInt8]] {
        values.withLock { $0[namespace] ?? [:] }
    }

    func apply(_ changes: [StateChange]) throws(StoreError) {
        var new = values.withLock { $0 }
        for change in changes { new[change.namespace, default: [:]][change.key] = change.value }
        try disk.replace(path, with: Self.encode(new), in: folder)
        values.withLock { $0 = new }
    }

    func backup(to target: String) throws(StoreError) {
        let file = try disk.open(target, .create)
        try file.write(Self.encode(values.withLock { $0 }), at: 0)
        try file.sync()
    }

    private static func encode(_ values: [String: [String: [UInt8]]]) -> [UInt8] {
        let changes = values.flatMap { namespace, values in values.map { StateChange(namespace, $0.key, $0.value) } }
            .sorted { ($0.namespace, $0.key) < ($1.namespace, $1.key) }
        var writer = TextTableWriter()
        writer.body.append(count: changes.count)
        for change in changes { writer.append(change) }
        return writer.bytes
    }
}
