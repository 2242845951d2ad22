import Codecs
import Glibc
import Telemetry

/// A file of a spool.
final class SpoolFile: Sendable {
    private let descriptor: Int32
    private let path: String

    /// - Parameter creates: make it where it does not exist; else it must.
    init(_ path: String, creates: Bool) throws(StoreError) {
        self.path = path
        descriptor = open(path, O_RDWR | O_CLOEXEC | (creates ? O_CREAT : 0), 0o640)
        guard descriptor >= 0 else { throw Self.error("could not open \(path)") }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func byteCount() throws(StoreError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.error("could not look at \(path)") }
        return Int(status.st_size)
    }

    /// Up to `count` bytes; fewer only at the end.
    func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8] {
        var isFailed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            var done = 0
            while done < count {
                // SAFETY: `done` < `count`, the buffer's capacity.
                let got = pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset + done))
                if got < 0, errno == EINTR { continue }
                if got < 0 { isFailed = true }
                if got <= 0 { break }
                done += got
            }
            initializedCount = done
        }
        if isFailed { throw Self.error("could not read \(path) at byte \(offset + bytes.count)") }
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(StoreError) {
        let written = bytes.withUnsafeBytes { buffer -> Int in
            var done = 0
            while done < buffer.count {
                // SAFETY: `done` < the buffer's count.
                let put = pwrite(descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
                if put < 0, errno == EINTR { continue }
                if put <= 0 { break }
                done += put
            }
            return done
        }
        guard written == bytes.count else { throw Self.error("could not write \(path) at byte \(offset + written)") }
    }

    func truncate(to byteCount: Int) throws(StoreError) {
        guard ftruncate(descriptor, off_t(byteCount)) == 0 else { throw Self.error("could not shorten \(path)") }
    }

    func sync() throws(StoreError) {
        guard fdatasync(descriptor) == 0 else { throw Self.error("could not sync \(path)") }
    }

    // MARK: Folders

    static func makeFolder(_ path: String) throws(StoreError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/" + part
            guard mkdir(made, 0o750) == 0 || errno == EEXIST else { throw error("could not make the folder \(made)") }
        }
    }

    static func list(_ path: String) throws(StoreError) -> [String] {
        guard let folder = opendir(path) else { throw error("could not list \(path)") }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names
    }

    static func remove(_ path: String) throws(StoreError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw error("could not remove \(path)") }
    }

    static func syncFolder(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw error("could not open \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw error("could not sync \(path)") }
    }

    /// `errno` in a sentence.
    private static func error(_ what: String) -> StoreError {
        let code = errno
        let reason = "the spool: \(what): \(String(cString: strerror(code)))"
        return code == ENOSPC || code == EDQUOT
            ? StoreError(.diskFull, reason, remedy: "Free space: reading of logs resumes by itself.")
            : StoreError(.system, reason, remedy: "Make the data folder readable and writable for the user that Apus runs as.")
    }
}

/// How records stand in a spool: `length u32, CRC32C of segment, offset and payload u32, payload`.
enum SpoolFrame {
    static let headerByteCount = 8
    /// A batch is a few MiB; more is damage.
    private static let payloadByteCountMax = 1 << 30

    static func frame(_ payload: [UInt8], segment: UInt64, offset: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headerByteCount + payload.count)
        for value in [UInt32(payload.count), checksum(payload, segment: segment, offset: offset)] {
            for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
        }
        return bytes + payload
    }

    /// The payload at an offset, and where it ends; nil where no whole record stands there.
    static func read(_ file: SpoolFile, segment: UInt64, offset: Int) throws(StoreError) -> (payload: [UInt8], end: Int)? {
        let header = try file.read(at: offset, count: headerByteCount)
        guard header.count == headerByteCount else { return nil }
        func number(_ start: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(header[start + $1]) << UInt32(8 * $1) } }
        let length = Int(number(0))
        guard length <= payloadByteCountMax, try file.byteCount() - offset - headerByteCount >= length else { return nil }
        let payload = try file.read(at: offset + headerByteCount, count: length)
        guard payload.count == length, checksum(payload, segment: segment, offset: offset) == number(4) else { return nil }
        return (payload, offset + headerByteCount + length)
    }

    /// Over the place too, so that bytes of another place or file are no record.
    private static func checksum(_ payload: [UInt8], segment: UInt64, offset: Int) -> UInt32 {
        let place = withUnsafeBytes(of: (segment.littleEndian, UInt64(offset).littleEndian)) { CRC32C.checksum($0) }
        return CRC32C.checksum(payload.span, continuing: place)
    }
}
