import ApusKit
import Testing

@Suite("ProcessMetrics")
struct ProcessMetricsTests {
    @Test("a program's name may hold brackets and blanks")
    func stat() {
        let line =
            "42 (a) b (c)) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 7 0 12345 1048576 300 18446744073709551615\n"
        #expect(
            ProcessStat.parse(Array(line.utf8))
                == ProcessStat(
                    cpuTicks: 300, threadCount: 7, startTicks: 12345, virtualByteCount: 1_048_576, residentPages: 300))
    }

    @Test("a cut line is no measurement", arguments: ["", "42", "42 (a", "42 (a) S 1 2"])
    func cut(line: String) {
        #expect(ProcessStat.parse(Array(line.utf8)) == nil)
    }

    #if os(Linux)
        @Test("this process has memory, files, a start and processor time")
        func real() throws {
            var configuration = ApusConfiguration(service: "x")
            configuration.tracesEndpoint = nil
            let text = PrometheusText.write(try ApusService(configuration).registry, as: .text)
            for name in [
                "process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds",
                "process_cpu_seconds_total", "process_max_fds",
            ] {
                let line = try #require(
                    text.split(separator: "\n").first { $0.hasPrefix(name + " ") }, "\(name) is missing")
                #expect(try #require(Double(line.split(separator: " ")[1])) > 0, "\(line)")
            }
        }
    #endif
}
