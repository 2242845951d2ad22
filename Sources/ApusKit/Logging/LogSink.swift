import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where log lines go: standard output or a file, a line at a time.
final class LogSink: Sendable {
    /// Guarded so that the pieces of two long lines never mix.
    private let descriptor: Mutex<Int32>
    private let isOwned: Bool
    private let dropped: PrometheusCounter

    init(file: String?, dropped: PrometheusCounter) throws(ApusError) {
        self.dropped = dropped
        guard let file else {
            descriptor = Mutex(STDOUT_FILENO)
            isOwned = false
            return
        }
        let opened = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard opened >= 0 else { throw .logFile(path: file, errno: errno) }
        descriptor = Mutex(opened)
        isOwned = true
    }

    deinit {
        if isOwned { descriptor.withLock { _ = close($0) } }
    }

    /// Writes one line. A full disk or a closed pipe loses the line, not the service.
    func write(_ line: [UInt8]) {
        let isWritten = descriptor.withLock { descriptor in
            var offset = 0
            while offset < line.count {
                let count = line.withUnsafeBytes { bytes in
                    // SAFETY: offset < line.count, so the pointer and the length stay inside `bytes`.
                    #if canImport(Darwin)
                        Darwin.write(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
                    #elseif canImport(Musl)
                        Musl.write(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
                    #else
                        Glibc.write(descriptor, bytes.baseAddress! + offset, bytes.count - offset)
                    #endif
                }
                if count > 0 {
                    offset += count
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
        if !isWritten { dropped.increment() }
    }
}
