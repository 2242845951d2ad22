import ArgumentParser
import EmbeddedStore
import Foundation
import Telemetry

/// `apus backup`
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Write a backup of a running server, or of a stopped one's data folder.",
        discussion: """
            A running server takes a snapshot, which is read over HTTP and removed again; its token (scope admin) comes from the \
            environment variable APUS_TOKEN. The backup is a tar archive with the checksum of every file.
            """)

    @Option(help: ArgumentHelp("A running server's base URL (default: http://127.0.0.1:2787, unless --data-dir is given).", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("A stopped server's data folder, or a snapshot.", valueName: "dir"))
    var dataDir: String?

    @Option(help: ArgumentHelp("The archive, which must not exist; - for standard output.", valueName: "file"))
    var to: String

    func validate() throws {
        if url != nil, dataDir != nil { throw ValidationError("--url and --data-dir exclude each other") }
    }

    func run() async throws {
        do {
            let sink = try ArchiveSink(to)
            let summary = try await write(to: sink)
            try sink.finish()
            FileHandle.standardError.write(Data("backed up \(summary.fileCount) files, \(summary.byteCount) bytes\n".utf8))
        } catch {
            FileHandle.standardError.write(Data("apus: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    private func write(to sink: ArchiveSink) async throws -> Backup.Summary {
        if let dataDir {
            let files = try Backup.files(of: dataDir)
            let disk = PosixFileSystem()
            return try await Backup.write(
                files, read: { try disk.open(dataDir + "/" + $0, .read).read(at: $1, count: $2) }, to: { try sink.write($0) })
        }
        let client = SnapshotClient(base: url ?? "http://127.0.0.1:2787", token: ProcessInfo.processInfo.environment["APUS_TOKEN"])
        let (name, files) = try await client.take()
        do {
            let summary = try await Backup.write(
                files, read: { try await client.read(name, $0, at: $1, count: $2) }, to: { try sink.write($0) })
            try await client.remove(name)
            return summary
        } catch {
            try? await client.remove(name)
            throw error
        }
    }
}

/// Where an archive goes: a new file, which is removed where the backup fails, or standard output.
private final class ArchiveSink {
    private let handle: FileHandle
    /// nil: standard output.
    private let path: String?
    private var isFinished = false

    init(_ path: String) throws {
        if path == "-" {
            (handle, self.path) = (.standardOutput, nil)
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let code = errno
            let reason = String(cString: strerror(code))
            throw StoreError(.system, "could not make \(path): \(reason)", remedy: code == EEXIST ? "Name a new file." : "")
        }
        (handle, self.path) = (FileHandle(fileDescriptor: descriptor, closeOnDealloc: true), path)
    }

    func write(_ bytes: [UInt8]) throws {
        try handle.write(contentsOf: Data(bytes))
    }

    func finish() throws {
        if path != nil { try handle.synchronize() }
        isFinished = true
    }

    deinit {
        if !isFinished, let path { unlink(path) }
    }
}
