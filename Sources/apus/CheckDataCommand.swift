import ArgumentParser
import EmbeddedStore
import Foundation
import Telemetry

/// `apus check data`
struct CheckDataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Read everything in a data folder and verify every checksum.",
        discussion: """
            For a stopped server's folder, a snapshot or a restored backup. Changes nothing. Prints a line for every damaged place \
            and a summary; exits with 1 where there is damage.
            """)

    @Argument(help: ArgumentHelp("The data folder.", valueName: "dir"))
    var folder: String

    func run() throws {
        let report: DataCheck.Report
        do throws(StoreError) { report = try DataCheck.run(folder: folder) } catch {
            FileHandle.standardError.write(Data("apus: \(error.description)\n".utf8))
            throw ExitCode(2)
        }
        for note in report.notes { print("note: \(note)") }
        for damage in report.damages { print(Self.line(damage)) }
        let verdict = report.damages.isEmpty ? "no damage" : "\(report.damages.count) damaged places"
        print(
            "\(report.byteCount) bytes read: \(report.dayCount) days, \(report.streamCount) streams, \(report.partCount) parts, "
                + "\(report.blockCount) blocks, \(report.segmentCount) segments of the log with \(report.recordCount) records, "
                + "\(report.rowCount) rows; \(verdict)")
        if !report.damages.isEmpty { throw ExitCode(1) }
    }

    /// `damaged log PATH at byte 99: …`
    static func line(_ damage: StoreDamage) -> String {
        let place = damage.offset.map { " at byte \($0)" } ?? ""
        let signal = damage.signal.map { " of \($0.name)" } ?? ""
        return "damaged \(damage.kind.rawValue)\(signal) \(damage.path)\(place): \(damage.message)"
    }
}
