import Foundation
import Glibc

/// What Linux tells about this process (proc(5)), under the names that Prometheus' client libraries agreed on.
struct ProcessFigures {
    var cpuSeconds = 0.0
    var residentByteCount = 0.0
    var virtualByteCount = 0.0
    var threadCount = 0.0
    var openFileCount = 0.0
    var openFileCountMax = 0.0

    static func read() -> ProcessFigures {
        var figures = ProcessFigures()
        var usage = rusage()
        if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
            figures.cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        }
        if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) {
            for line in status.split(separator: "\n") {
                let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
                guard words.count >= 2, let value = Double(words[1]) else { continue }
                switch words[0] {
                case "VmRSS:": figures.residentByteCount = value * 1_024
                case "VmSize:": figures.virtualByteCount = value * 1_024
                case "Threads:": figures.threadCount = value
                default: break
                }
            }
        }
        if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") { figures.openFileCount = Double(files.count) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { figures.openFileCountMax = Double(limit.rlim_cur) }
        return figures
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) * 1e-6
    }
}
