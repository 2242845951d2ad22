import ArgumentParser
import EmbeddedStore
import Foundation
import Telemetry

/// `apus restore`
struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make a data folder of a backup.",
        discussion: "Nothing stands under the folder's name before every checksum of the archive and of the store in it was right.")

    @Argument(help: ArgumentHelp("The archive; - for standard input.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("The folder, which must be empty or not exist.", valueName: "dir"))
    var dataDir: String

    @Flag(help: "Restore what can be read of a store that was damaged already when the backup was made.")
    var keepDamage = false

    func run() throws {
        do {
            let handle: FileHandle
            if file == "-" { handle = .standardInput } else { handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file)) }
            let summary = try Restore.run(into: dataDir, keepsDamage: keepDamage) {
                [UInt8](try handle.read(upToCount: Backup.chunkByteCount) ?? Data())
            } report: { damage in
                print(CheckDataCommand.line(damage))
            }
            print("restored \(summary.fileCount) files, \(summary.byteCount) bytes to \(dataDir): every checksum is right")
        } catch {
            FileHandle.standardError.write(Data("apus: \((error as? StoreError)?.description ?? error.localizedDescription)\n".utf8))
            throw ExitCode(1)
        }
    }
}
