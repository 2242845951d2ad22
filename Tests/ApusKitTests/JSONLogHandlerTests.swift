import ApusKit
import Foundation
import Instrumentation
import Logging
import TestSupport
import Testing

@Suite("JSONLogHandler")
struct JSONLogHandlerTests {
    private func fields(of line: [UInt8]) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
    }

    /// A service that writes its log into a folder of its own and sends no traces.
    private func service(_ folder: ScratchFolder) throws -> ApusService {
        var configuration = ApusConfiguration(service: "orders")
        configuration.tracesEndpoint = nil
        configuration.logFile = folder.path + "/log"
        return try ApusService(configuration)
    }

    private func event(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata? = nil) -> LogEvent {
        LogEvent(
            level: level, message: "\(message)", metadata: metadata, source: nil, file: "f", function: "f", line: 1)
    }

    @Test("a line is one JSON object that begins with level, time, message and service")
    func shape() throws {
        let folder = try ScratchFolder()
        let handler = try service(folder).logHandler(label: "shop")
        let line = handler.line(event(.warning, "a \"quote\"\n"), at: 1_700_000_000_000_000_001, in: nil)
        #expect(
            String(decoding: line, as: UTF8.self)
                == #"{"level":"warn","ts":"2023-11-14T22:13:20.000000001Z","msg":"a \"quote\"\n","service":"orders","logger":"shop"}"#
                + "\n")
    }

    @Test("request, trace and span id come from the context")
    func ids() throws {
        let folder = try ScratchFolder()
        let handler = try service(folder).logHandler(label: "shop")
        var context = ServiceContext.topLevel
        context.requestID = "r-1"
        context.spanContext = TraceParent.parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        let fields = try fields(of: handler.line(event(.info, "x", ["hb.request.id": "h"]), at: 0, in: context))
        #expect(fields["request_id"] as? String == "r-1")
        #expect(fields["trace_id"] as? String == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(fields["span_id"] as? String == "00f067aa0ba902b7")
        #expect(fields["hb.request.id"] == nil)
    }

    @Test("metadata keeps its types, and cannot shadow the line's own fields")
    func metadata() throws {
        let folder = try ScratchFolder()
        var handler = try service(folder).logHandler(label: "shop")
        handler[metadataKey: "version"] = "1"
        let metadata: Logger.Metadata = [
            "status": .stringConvertible(200), "ratio": .stringConvertible(0.5), "ok": .stringConvertible(true),
            "level": "mine",
            "list": ["a", .stringConvertible(1)], "nested": ["k": "v"], "text": "\(5)",
            "nan": .stringConvertible(Double.nan),
        ]
        let fields = try fields(of: handler.line(event(.error, "x", metadata), at: 0, in: nil))
        #expect(fields["level"] as? String == "error")
        #expect(fields["metadata.level"] as? String == "mine")
        #expect(fields["status"] as? Int == 200)
        #expect(fields["ratio"] as? Double == 0.5)
        #expect(fields["ok"] as? Bool == true)
        #expect(fields["text"] as? String == "5")
        #expect(fields["nan"] as? String == "NaN")
        #expect((fields["nested"] as? [String: String]) == ["k": "v"])
        #expect(fields["version"] as? String == "1")
    }

    @Test("lines are appended to the log file, and levels below the chosen one are not")
    func file() throws {
        let folder = try ScratchFolder()
        let observed = try service(folder)
        let logger = Logger(label: "shop") { observed.logHandler(label: $0) }
        logger.debug("unseen")
        logger.info("one")
        logger.critical("two")
        let text = try String(contentsOfFile: folder.path + "/log", encoding: .utf8)
        #expect(
            text.split(separator: "\n").map { $0.contains(#""msg":"one""#) || $0.contains(#""level":"critical""#) } == [
                true, true,
            ])
    }

    @Test("a log file that cannot be opened is an error that names it")
    func badFile() {
        var configuration = ApusConfiguration(service: "orders")
        configuration.logFile = "/nowhere/at/all"
        #expect(throws: ApusError.logFile(path: "/nowhere/at/all", errno: 2)) { try ApusService(configuration) }
    }

    @Test(
        "a time is written in UTC with nanoseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000000000Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00.000000000Z"),
            (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999999Z"),
            (4_102_444_800_000_000_000, "2100-01-01T00:00:00.000000000Z"),
        ] as [(UInt64, String)])
    func time(nanoseconds: UInt64, text: String) {
        #expect(Timestamp.text(nanoseconds: nanoseconds) == text)
    }
}
