import Glibc
import Telemetry

/// Reads lines from standard input until its end. What was read and not kept is lost with the process: nothing can be read again.
final class StdinSource: LogSource {
    private let labels: Labels
    private let context: SourceContext
    private let descriptor: Int32
    private let didEnd: @Sendable () -> Void
    private let thread = DiskThread("apus.stdin")
    private static let lineByteCountMax = 256 << 10

    var title: String { "standard input" }

    /// - Parameters:
    ///   - labels: of all lines.
    ///   - didEnd: told when the input has ended and everything is kept.
    init(labels: Labels, context: SourceContext, descriptor: Int32 = 0, didEnd: @escaping @Sendable () -> Void = {}) {
        self.labels = labels
        self.context = context
        self.descriptor = descriptor
        self.didEnd = didEnd
    }

    func run() async throws {
        let pump = context.pump()
        let cutter = LineCutter(byteCountMax: Self.lineByteCountMax)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await pump.flushUntilCancelled() }
            var buffer: [UInt8] = []
            var isInsideCutLine = false
            while !Task.isCancelled {
                let descriptor = descriptor
                let bytes = await thread.run { () throws(Never) in Self.read(descriptor) }
                buffer += bytes
                var lines: [LineCutter.Line] = []
                let used = cutter.cut(buffer, into: &lines, isInsideCutLine: &isInsideCutLine, takesPartialLine: bytes.isEmpty)
                buffer.removeFirst(used)
                if let labels = context.labels(labels, []), !lines.isEmpty {
                    await pump.push(lines.map { LogRecord($0, labels: labels, timestamp: pump.nextTimestamp()) })
                }
                if bytes.isEmpty { break }
            }
            await pump.finish()
            group.cancelAll()
        }
        didEnd()
        // There is nothing to start again.
        while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
    }

    private static func read(_ descriptor: Int32) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, initializedCount in
            var got: Int
            repeat { got = Glibc.read(descriptor, buffer.baseAddress, buffer.count) } while got < 0 && errno == EINTR
            initializedCount = max(0, got)
        }
    }
}

extension LogRecord {
    /// A line as it was read; where it had to be cut, its metadata says how long it was.
    init(_ line: LineCutter.Line, labels: Labels, timestamp: Int64) {
        self.init(
            labels: labels, timestamp: timestamp, line: String(decoding: line.bytes, as: UTF8.self),
            metadata: line.originalByteCount.map { Labels(["cut_from_bytes": String($0)]) } ?? .empty)
    }
}
