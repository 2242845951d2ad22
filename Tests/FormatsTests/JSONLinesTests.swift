import Codecs
import Formats
import Telemetry
import Testing

@Suite("JSON lines and Elasticsearch's bulk") struct JSONLinesTests {
    @Test("times are read whatever their form", arguments: [
        (#""2026-01-02T03:04:05.5Z""#, 1_767_323_045_500_000_000), (#""2026-01-02 03:04:05""#, 1_767_323_045_000_000_000), ("1767323045", 1_767_323_045_000_000_000),
        ("1767323045.25", 1_767_323_045_250_000_000), ("1767323045123", 1_767_323_045_123_000_000), ("1767323045123456", 1_767_323_045_123_456_000),
        (#""1767323045123456789""#, 1_767_323_045_123_456_789), ("0", 42),
    ] as [(String, Int64)])
    func times(text: String, nanoseconds: Int64) {
        let bytes = Array(#"{"_time":\#(text),"_msg":"x"}"#.utf8)
        let decoded = JSONLines.decode(bytes.span, options: JSONLines.Options(), time: TimeSource { 42 })
        #expect(decoded.rejectionMessage == "")
        #expect(decoded.batch.logs.streams.first?.entries.first?.timestamp == nanoseconds)
    }

    @Test("fields become labels of the stream or structured metadata; without a message the object is the line")
    func fields() {
        var options = JSONLines.Options()
        options.streamFields = ["app", "kubernetes.pod"]
        let bytes = Array("""
            {"_msg":"hello","app":"a","kubernetes":{"pod":"p","ns":"n"},"list":[1,"x"],"none":null}
            {"app":"a","x":1}
            {"_msg":"bad time","_time":"yesterday"}
            """.utf8)
        let decoded = JSONLines.decode(bytes.span, options: options, time: TimeSource { 7 })
        #expect(decoded.rejected == 1)
        #expect(decoded.rejectionMessage.contains("line 3"))
        let streams = decoded.batch.logs.streams
        #expect(streams.map(\.labels) == [Labels(["app": "a", "kubernetes_pod": "p", "service_name": "a"]), Labels(["app": "a", "service_name": "a"])])
        #expect(streams[0].entries[0].metadata == Labels(["kubernetes_ns": "n", "list": #"[1,"x"]"#]))
        #expect(streams[1].entries[0].line == #"{"app":"a","x":1}"#)
    }

    @Test("a bulk request is read action by action, and no damage traps")
    func bulk() throws {
        let text = "{\"create\":{\"_index\":\"i\"}}\n{\"message\":\"m\",\"@timestamp\":5}\n{\"update\":{}}\n{}\n"
        let bytes = Array(text.utf8)
        let decoded = try ElasticsearchBulk.decode(bytes.span, index: "path")
        #expect(decoded.items.map(\.error) == [nil, "log lines cannot be updated: send create or index"])
        #expect(decoded.items.map(\.index) == ["i", "path"])
        #expect(decoded.batch.streams.first?.labels == Labels(["index": "i", "service_name": "unknown_service"]))
        for count in bytes.indices {
            let cut = Array(bytes[..<count])
            _ = try? ElasticsearchBulk.decode(cut.span, index: nil)
            var flipped = bytes
            flipped[count] ^= 0x11
            _ = try? ElasticsearchBulk.decode(flipped.span, index: nil)
            _ = JSONLines.decode(flipped.span, options: JSONLines.Options())
        }
    }
}
