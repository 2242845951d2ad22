#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What Prometheus' clients tell of every process, and what Swift is: read at each scrape.
enum ProcessMetrics {
    static func register(in registry: PrometheusRegistry) {
        registry.collect { families() }
    }

    private static func families() -> [MetricFamily] {
        var families = [
            gauge(
                "swift_info", 1, "The version of the Swift language it was compiled as.",
                labels: [("version", languageVersion)])
        ]
        if let stat = ProcessStat.parse(contents(ofFile: "/proc/self/stat") ?? []) {
            let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
            let page = Double(max(1, sysconf(Int32(_SC_PAGESIZE))))
            let cpu = PrometheusCounter()
            cpu.increment(by: stat.cpuTicks / ticks)
            families += [
                MetricFamily("process_cpu_seconds_total", .counter, help: "User and system processor time.", cpu),
                gauge("process_resident_memory_bytes", stat.residentPages * page, "Resident memory."),
                gauge("process_virtual_memory_bytes", stat.virtualByteCount, "Virtual memory."),
                gauge("process_threads", stat.threadCount, "Threads of the operating system."),
            ]
            if let boot = bootSeconds {
                families.append(
                    gauge(
                        "process_start_time_seconds", boot + stat.startTicks / ticks,
                        "When it started, since the Unix epoch."))
            }
        }
        if let count = entryCount(ofFolder: "/proc/self/fd") {
            // The folder itself was open while it was read.
            families.append(gauge("process_open_fds", Double(max(0, count - 1)), "Open file descriptors."))
        }
        var limit = rlimit()
        #if canImport(Glibc)
            let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let files = RLIMIT_NOFILE
        #endif
        if getrlimit(files, &limit) == 0 {
            families.append(gauge("process_max_fds", Double(limit.rlim_cur), "How many file descriptors may be open."))
        }
        return families
    }

    private static func gauge(_ name: String, _ value: Double, _ help: String, labels: [(String, String)] = [])
        -> MetricFamily
    {
        let gauge = PrometheusGauge()
        gauge.set(value)
        return MetricFamily(name, .gauge, help: help, gauge, labels: labels)
    }

    /// When the machine started, from /proc/stat's line `btime`.
    private static let bootSeconds: Double? = {
        let text = String(decoding: contents(ofFile: "/proc/stat", byteCountMax: 1 << 20) ?? [], as: UTF8.self)
        return text.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }()

    private static var languageVersion: String {
        #if swift(>=6.4)
            "6.4 or newer"
        #elseif swift(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}

/// The fields of `/proc/self/stat` that are shown.
///
/// - SeeAlso: proc(5), `/proc/pid/stat`.
package struct ProcessStat: Equatable {
    package var cpuTicks: Double
    package var threadCount: Double
    package var startTicks: Double
    package var virtualByteCount: Double
    package var residentPages: Double

    package init(
        cpuTicks: Double, threadCount: Double, startTicks: Double, virtualByteCount: Double, residentPages: Double
    ) {
        self.cpuTicks = cpuTicks
        self.threadCount = threadCount
        self.startTicks = startTicks
        self.virtualByteCount = virtualByteCount
        self.residentPages = residentPages
    }

    package static func parse(_ bytes: [UInt8]) -> ProcessStat? {
        // The second field is the program's name in brackets, and a name may hold brackets and blanks.
        guard let bracket = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = String(decoding: bytes[(bracket + 1)...], as: UTF8.self).split(whereSeparator: \.isWhitespace)
        // fields[0] is field 3 of the manual page, the state.
        func field(_ number: Int) -> Double? {
            let index = number - 3
            return fields.indices.contains(index) ? Double(fields[index]) : nil
        }
        guard let user = field(14), let system = field(15), let threads = field(20), let start = field(22),
            let virtual = field(23),
            let resident = field(24)
        else { return nil }
        return ProcessStat(
            cpuTicks: user + system, threadCount: threads, startTicks: start, virtualByteCount: virtual,
            residentPages: resident)
    }
}
