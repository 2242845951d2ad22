import Codecs
import Foundation
import Query
import Server
import Settings
import Telemetry
import TestSupport
import Testing

/// What Prometheus' API says of targets, of itself, and of names that are looked for.
@Suite("Prometheus API: targets, search and the rest") struct ScrapeAPITests {
    static func configuration(_ folder: ScratchFolder, _ prometheus: String, more: String = "") throws -> String {
        try prometheus.write(toFile: folder.path + "/p.yml", atomically: true, encoding: .utf8)
        return "prometheus: \(folder.path)/p.yml\n\(more)"
    }

    static func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    @Test("each step of relabelling is shown with the labels that it leaves")
    func relabelSteps() async throws {
        let folder = try ScratchFolder()
        let text = """
            scrape_configs:
              - job_name: a
                relabel_configs:
                  - {source_labels: [x, y], separator: '-', modulus: 3, target_label: shard, action: hashmod}
                  - {source_labels: [x], regex: '1', action: drop}
                  - {action: labeldrop, regex: y}
            """
        try await TestServer.run(configuration: try Self.configuration(folder, text)) { server in
            let path = "/api/v1/targets/relabel_steps?scrapePool=a&labels="
            let kept = try await server.get(path + Self.encoded(#"{"x":"2","y":"b"}"#))
            #expect(kept.status == 200)
            let steps = try kept.json()["data"]?["steps"]?.array ?? []
            #expect(steps.count == 3)
            #expect(
                kept.text.hasPrefix(
                    #"{"status":"success","data":{"steps":[{"rule":{"source_labels":["x","y"],"separator":"-","regex":"(.*)","modulus":3,"target_label":"shard","replacement":"$1","action":"hashmod"},"output":{"shard":""#
                ), "\(kept.text)")
            #expect(kept.text.hasSuffix(#""y":"b"},"keep":true},{"rule":{"separator":";","regex":"y","replacement":"$1","action":"labeldrop"},"output":{"shard":"2","x":"2"},"keep":true}]}}"#) || kept.text.contains(#""action":"labeldrop"},"output":{"shard":""#))
            let dropped = try await server.get(path + Self.encoded(#"{"x":"1"}"#))
            #expect(try dropped.json()["data"]?["steps"]?.array?.map { $0["keep"]?.bool } == [true, false, false])
            for (query, message) in [
                ("", "no scrapePool parameter provided"), ("?scrapePool=a", "no labels parameter provided"),
                ("?scrapePool=a&labels=%7B", "error parsing labels"), ("?scrapePool=b&labels=%7B%7D", #"scrape pool \"b\" not found"#),
            ] {
                let reply = try await server.get("/api/v1/targets/relabel_steps" + query)
                #expect(reply.status == 400)
                #expect(reply.text.contains(message), "\(reply.text)")
            }
        }
    }

    @Test("a job's configuration and the whole one are told without secrets")
    func configurations() async throws {
        let folder = try ScratchFolder()
        let text = "scrape_configs: [{job_name: a, basic_auth: {username: u, password: hidden}}]"
        try await TestServer.run(configuration: try Self.configuration(folder, text)) { server in
            for path in ["scrape_pools/config?scrapePool=a", "status/config"] {
                let reply = try await server.get("/api/v1/" + path)
                #expect(reply.status == 200)
                #expect(reply.text.contains(#"password: \u003csecret\u003e"#), "\(reply.text)")
                #expect(!reply.text.contains("hidden"))
            }
        }
    }

    static let cases: [(path: String, status: Int, body: String)] = [
        ("/api/v1/notifications", 200, #"{"status":"success","data":[]}"#), ("/api/v1/notifications/live", 204, ""),
        ("/api/v1/status/walreplay", 200, #"{"status":"success","data":{"min":0,"max":0,"current":0}}"#),
        ("/api/v1/status/tsdb/blocks", 200, #"{"status":"success","data":{"blocks":[]}}"#),
        ("/api/v1/targets?state=active", 200, #"{"status":"success","data":{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}}"#),
        ("/api/v1/search/metric_names?start=1000&end=1300", 200, "{\"results\":[{\"name\":\"requests_total\"}]}\n{\"status\":\"success\",\"has_more\":false}\n"),
        ("/api/v1/search/metric_names?start=1000&end=1300&search[]=rqst&include_score=true&include_metadata=true", 200,
            "{\"results\":[{\"name\":\"requests_total\",\"score\":\(score),\"type\":\"counter\",\"help\":\"Requests \\\"all\\\" \\u003cof\\u003e them.\"}]}\n{\"status\":\"success\",\"has_more\":false}\n"),
        ("/api/v1/search/label_values?start=1000&end=1300&label=code&sort_by=alpha&sort_dir=dsc&batch_size=1", 200,
            "{\"results\":[{\"value\":\"500\"}]}\n{\"results\":[{\"value\":\"200\"}]}\n{\"status\":\"success\",\"has_more\":false}\n"),
        ("/api/v1/search/label_names?start=1000&end=1300&search[]=JO&case_sensitive=false&limit=1", 200,
            "{\"results\":[{\"name\":\"job\"}]}\n{\"status\":\"success\",\"has_more\":false}\n"),
        ("/api/v1/search/label_names?start=1000&end=1300&limit=1", 200, "{\"results\":[{\"name\":\"__name__\"}]}\n{\"status\":\"success\",\"has_more\":true}\n"),
        ("/api/v1/search/label_values?label=", 400, #"{"status":"error","errorType":"bad_data","error":"missing required parameter \"label\""}"#),
        ("/api/v1/search/metric_names?limit=0", 400, #"{"status":"error","errorType":"bad_data","error":"invalid limit \"0\": must be a positive integer"}"#),
        ("/api/v1/search/metric_names?sort_by=score", 400,
            #"{"status":"error","errorType":"bad_data","error":"sort_by=score requires search[] to be set"}"#),
        ("/api/v1/search/metric_names?fuzz_threshold=101", 400,
            #"{"status":"error","errorType":"bad_data","error":"invalid fuzz_threshold \"101\": must be 0-100"}"#),
        ("/api/v1/search/metric_names?fuzz_alg=x", 400,
            #"{"status":"error","errorType":"bad_data","error":"unsupported fuzz_alg \"x\": must be one of [subsequence jarowinkler]"}"#),
    ]

    /// Runs r, q, st of `requests_total`: 1 + 1 + 4, less a gap of 1, one of 3 and half the rest of 6, of 16.
    static let score: Double = {
        let (share, raw) = (1.0 / 14, 1.0 + 1.0 + 4.0)
        let score = raw - share - 3 * share
        return (score - 6 * share * 0.5) / 16 * 0.999
    }()

    @Test("what has little to tell is answered as Prometheus does, and names are searched")
    func answers() async throws {
        try await TestServer.run { server in
            try await PrometheusAPITests.fill(server.store)
            for row in Self.cases {
                let reply = try await server.get(row.path.replacing("[]", with: "%5B%5D"))
                #expect(reply.status == row.status, "\(row.path)")
                if !row.path.contains("include_score") { #expect(reply.text == row.body, "\(row.path): \(reply.text)") }
            }
            let scored = try await server.get("/api/v1/search/metric_names?start=1000&end=1300&search%5B%5D=rqst&include_score=true&include_metadata=true")
            #expect(scored.header("content-type") == "application/x-ndjson; charset=utf-8")
            #expect(scored.text.contains(#""type":"counter""#))
            #expect(scored.text.contains(#""score":0."#))
            let features = try await server.get("/api/v1/features").json()["data"]
            #expect(features?["api"]?["search"]?.bool == true)
            #expect(features?["scrape"]?["start_timestamp_zero_ingestion"]?.bool == false)
            let version = try await server.get("/version").json()
            #expect(version["version"]?.string == "3.5.0" && version["features"] == nil)
            let own = try await server.get("/api/v1/status/self_metrics?metric_name_pattern=apus_build_info")
            #expect(try own.json()["data"]?.array?.first?["metric"]?.array?.first?["gauge"]?["value"]?.double == 1)
            #expect(try own.json()["data"]?.array?.count == 1)
            let managers = try await server.get("/api/v1/alertmanagers").json()["data"]
            #expect(managers?["activeAlertmanagers"]?.array?.count == 1)
        }
    }

    @Test("the process is not ended by whoever asks")
    func quit() async throws {
        try await TestServer.run { server in
            let reply = try await server.request("POST", "/-/quit")
            #expect(reply.status == 403)
            #expect(reply.text.hasPrefix("Lifecycle API is not enabled"))
        }
    }

    @Test("federation gives native histograms in protobuf, and those with custom bounds as classic ones")
    func federation() async throws {
        try await TestServer.run { server in
            let now = Int64(Date().timeIntervalSince1970 * 1_000) - 1_000
            var batch = TelemetryBatch()
            func add(_ name: String) -> UInt32 { batch.metrics.addSeries(Labels(["__name__": name, "job": "j"])) }
            batch.metrics.append(series: add("a:b"), timestamp: now, value: 1.5)
            batch.metrics.histograms.append(
                (add("n"), now, NativeHistogram(schema: 1, zeroThreshold: 0.1, count: 3, sum: 4, positiveRuns: [.init(offset: 2, length: 1)], positiveCounts: [3])))
            batch.metrics.histograms.append(
                (
                    add("c"), now,
                    NativeHistogram(
                        schema: -53, count: 6, sum: 4, positiveRuns: [.init(offset: 0, length: 3)], positiveCounts: [1, 2, 3], customBounds: [0.5, 2])
                ))
            batch.metrics.append(series: add("stale"), timestamp: now, value: Staleness.marker)
            try await server.store.append(batch)
            let text = try await server.get("/federate?match%5B%5D=%7Bjob=%22j%22%7D")
            #expect(
                text.text == """
                    # TYPE a:b untyped
                    a:b{job="j",instance=""} 1.5 \(now)
                    # TYPE c histogram
                    c_bucket{job="j",instance="",le="0.5"} 1 \(now)
                    c_bucket{job="j",instance="",le="2"} 3 \(now)
                    c_bucket{job="j",instance="",le="+Inf"} 6 \(now)
                    c_sum{job="j",instance=""} 4 \(now)
                    c_count{job="j",instance=""} 6 \(now)

                    """)
            let accept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;q=0.3"
            let binary = try await server.get("/federate?match%5B%5D=%7Bjob=%22j%22%7D", headers: [("Accept", accept)])
            #expect(binary.header("content-type")?.hasPrefix("application/vnd.google.protobuf") == true)
            // Three families: the native one among them.
            #expect(binary.body.count > 60)
        }
    }
}
