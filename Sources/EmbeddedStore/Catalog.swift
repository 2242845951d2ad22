import Foundation
import GRDB
package import Telemetry

/// Small state in SQLite: `catalog.sqlite`, in write-ahead mode, synced at every commit.
package final class Catalog: StateCatalog {
    private let database: DatabasePool
    private let path: String

    private init(_ database: DatabasePool, _ path: String) {
        self.database = database
        self.path = path
    }

    /// Opens the catalogue of a data folder, which must exist.
    package static func open(dataFolder: String) throws(StoreError) -> Catalog {
        let path = dataFolder + "/catalog.sqlite"
        do {
            var configuration = Configuration()
            configuration.label = "apus.catalog"
            configuration.maximumReaderCount = 2
            configuration.prepareDatabase { database in
                // GRDB relaxes it in write-ahead mode; an acknowledged silence must outlive a power cut.
                try database.execute(sql: "PRAGMA synchronous = FULL")
                try database.execute(sql: "PRAGMA cache_size = -512")
            }
            let database = try DatabasePool(path: path, configuration: configuration)
            try makeTable(database)
            return Catalog(database, path)
        } catch {
            throw Self.error(error, path)
        }
    }

    private static func makeTable(_ database: DatabasePool) throws {
        try database.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS state (
                        namespace TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (namespace, key)
                    ) WITHOUT ROWID
                    """)
        }
    }

    package func value(_ key: String, in namespace: String) throws(StoreError) -> [UInt8]? {
        try run {
            try self.database.read { database in
                try Row.fetchOne(database, sql: "SELECT value FROM state WHERE namespace = ? AND key = ?", arguments: [namespace, key])
                    .map { [UInt8]($0[0] as Data) }
            }
        }
    }

    package func values(in namespace: String) throws(StoreError) -> [String: [UInt8]] {
        try run {
            try self.database.read { database in
                var values: [String: [UInt8]] = [:]
                let rows = try Row.fetchCursor(database, sql: "SELECT key, value FROM state WHERE namespace = ?", arguments: [namespace])
                while let row = try rows.next() { values[row[0]] = [UInt8](row[1] as Data) }
                return values
            }
        }
    }

    package func apply(_ changes: [StateChange]) throws(StoreError) {
        try run {
            try self.database.write { database in
                for change in changes {
                    if let value = change.value {
                        try database.execute(
                            sql: """
                                INSERT INTO state (namespace, key, value) VALUES (?, ?, ?)
                                ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value
                                """,
                            arguments: [change.namespace, change.key, Data(value)])
                    } else {
                        try database.execute(
                            sql: "DELETE FROM state WHERE namespace = ? AND key = ?", arguments: [change.namespace, change.key])
                    }
                }
            }
        }
    }

    /// Copies the catalogue as it is now, whatever is written meanwhile (SQLite, "Online Backup API"), and syncs the copy.
    package func backup(to target: String) throws(StoreError) {
        try run {
            let copy = try DatabaseQueue(path: target)
            try self.database.backup(to: copy)
            try copy.close()
        }
        try PosixFileSystem().open(target, .update).sync()
    }

    /// What SQLite finds wrong with a catalogue (`PRAGMA integrity_check`), without touching it: a copy is looked at.
    package static func damage(dataFolder: String, fileSystem: any FileSystem) throws(StoreError) -> [String] {
        let names = try fileSystem.list(dataFolder).filter { $0 == "catalog.sqlite" || $0 == "catalog.sqlite-wal" }
        guard names.contains("catalog.sqlite") else { return [] }
        let scratch = FileManager.default.temporaryDirectory.appending(path: "apus-check-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let files = PosixFileSystem()
        try files.createFolder(scratch)
        for name in names {
            try files.open(scratch + "/" + name, .create).write(try fileSystem.contents(of: dataFolder + "/" + name), at: 0)
        }
        do {
            let database = try DatabaseQueue(path: scratch + "/catalog.sqlite")
            let found = try database.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
            return found.filter { $0 != "ok" }
        } catch {
            return ["\(error)"]
        }
    }

    private func run<Value>(_ body: () throws -> Value) throws(StoreError) -> Value {
        do { return try body() } catch { throw Self.error(error, path) }
    }

    private static func error(_ error: any Error, _ path: String) -> StoreError {
        guard let error = error as? DatabaseError else { return StoreError(.system, "the catalogue \(path): \(error)") }
        switch error.resultCode {
        case .SQLITE_FULL:
            return StoreError(.diskFull, "the catalogue \(path): the disk is full", remedy: "Free space: writes resume by themselves.")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return StoreError(
                .corrupted, "the catalogue \(path) is damaged: \(error.message ?? "no reason given")",
                remedy: "Restore it from a backup, or move it away to start with empty state.")
        default: return StoreError(.system, "the catalogue \(path): \(error)")
        }
    }
}
