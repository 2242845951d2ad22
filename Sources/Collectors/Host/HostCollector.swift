import Telemetry

/// One part of what is measured of a host: node exporter calls it a collector, too, and its names are used.
///
/// A collector may remember things between rounds; it is called by one thread at a time.
protocol HostCollector: Sendable {
    mutating func collect(_ round: inout HostRound) throws(HostCollectorError)
}

/// Why a collector has nothing to say.
enum HostCollectorError: Error, Sendable, CustomStringConvertible {
    /// The kernel or the machine lacks what would be measured: no reason to complain.
    case noData
    case failed(String)

    init(_ error: SystemFileError) {
        self = error.isAbsent ? .noData : .failed(error.description)
    }

    var description: String {
        switch self {
        case .noData: "no data"
        case .failed(let reason): reason
        }
    }
}

/// What a collector is given: where to read, and where to put what it has read.
struct HostRound: Sendable {
    let paths: HostPaths
    var recorder: MetricRecorder
    /// Nanoseconds since the Unix epoch.
    var now: Int64 = 0
    /// Files that several collectors read.
    private var shared: [String: [UInt8]] = [:]

    init(paths: HostPaths, recorder: MetricRecorder) {
        self.paths = paths
        self.recorder = recorder
    }

    /// A file of procfs, to be walked.
    func proc(_ name: String) throws(HostCollectorError) -> TextCursor {
        TextCursor(try Self.read(paths.procfs + "/" + name))
    }

    /// A file of the host's network namespace below procfs.
    func net(_ name: String) throws(HostCollectorError) -> TextCursor {
        TextCursor(try Self.read(paths.net + "/" + name))
    }

    /// The same, where the file may be absent (IPv6 turned off).
    func netIfPresent(_ name: String) throws(HostCollectorError) -> TextCursor? {
        do throws(SystemFileError) {
            return TextCursor(try SystemFile.read(paths.net + "/" + name))
        } catch {
            if error.isAbsent { return nil }
            throw HostCollectorError(error)
        }
    }

    /// A file of procfs that is read once a round, whoever asks.
    mutating func sharedProc(_ name: String) throws(HostCollectorError) -> TextCursor {
        if let bytes = shared[name] { return TextCursor(bytes) }
        let bytes = try Self.read(paths.procfs + "/" + name)
        shared[name] = bytes
        return TextCursor(bytes)
    }

    mutating func begin(at now: Int64) {
        self.now = now
        shared.removeAll(keepingCapacity: true)
    }

    private static func read(_ path: String) throws(HostCollectorError) -> [UInt8] {
        do throws(SystemFileError) {
            return try SystemFile.read(path)
        } catch {
            throw HostCollectorError(error)
        }
    }
}
