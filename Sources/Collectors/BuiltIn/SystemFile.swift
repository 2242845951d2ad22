import Glibc
import Telemetry

/// Reads the small files that a kernel makes up (procfs, sysfs, cgroupfs): one open, as few reads as it takes, no `stat`, for their
/// sizes say nothing.
enum SystemFile {
    /// More than the largest that is read here (`/proc/net/udp` of a busy resolver, `/proc/self/mountinfo` of a container host).
    private static let byteCountMax = 16 << 20

    /// - Throws: ``SystemFileError``; nothing that is there is ever read in part.
    static func read(_ path: String) throws(SystemFileError) -> [UInt8] {
        // O_NONBLOCK: a broken driver, or a pipe that somebody put in place of a file, must not hold up the round.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw SystemFileError(path: path, code: errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var capacity = 4_096
        while true {
            let code = append(descriptor, capacity, to: &bytes)
            guard code >= 0 else { throw SystemFileError(path: path, code: -code) }
            if code == 0 { return bytes }
            guard bytes.count <= byteCountMax else { throw SystemFileError(path: path, code: EFBIG) }
            capacity = min(capacity * 4, 1 << 20)
        }
    }

    /// The text of a file without white space at its ends; nil where it cannot be read.
    static func text(_ path: String) -> String? {
        guard let bytes = try? read(path) else { return nil }
        return trimmed(bytes)
    }

    static func trimmed(_ bytes: [UInt8]) -> String {
        var range = bytes[...]
        while let last = range.last, last <= 32 { range.removeLast() }
        while let first = range.first, first <= 32 { range.removeFirst() }
        return String(decoding: range, as: UTF8.self)
    }

    /// The number in a file that holds nothing else; nil where there is none.
    static func number(_ path: String) -> Double? {
        guard let bytes = try? read(path) else { return nil }
        var cursor = TextCursor(bytes)
        return cursor.nextLine() ? cursor.number() : nil
    }

    /// The names in a folder, sorted; nil where there is no such folder.
    static func names(_ path: String) -> [String]? {
        var names: [String] = []
        guard list(path, { name, _ in names.append(name) }) else { return nil }
        return names.sorted { $0.utf8Precedes($1) }
    }

    /// The names of the folders in a folder, links not among them, sorted; nil where there is no such folder.
    static func folders(_ path: String) -> [String]? {
        var names: [String] = []
        guard list(path, { name, type in if type == DT_DIR { names.append(name) } }) else { return nil }
        return names.sorted { $0.utf8Precedes($1) }
    }

    /// How much is in a folder; nil where there is no such folder.
    static func count(_ path: String) -> Int? {
        var count = 0
        return list(path, { _, _ in count += 1 }) ? count : nil
    }

    private static func list(_ path: String, _ body: (String, Int) -> Void) -> Bool {
        guard let folder = opendir(path) else { return false }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) { String(cString: $0) }
            }
            if name != ".", name != ".." { body(name, Int(entry.pointee.d_type)) }
        }
        return true
    }

    /// One read at the end of `bytes`: 1 where more may follow, 0 at the end of the file, a negated errno where it failed.
    private static func append(_ descriptor: CInt, _ capacity: Int, to bytes: inout [UInt8]) -> CInt {
        var failure: CInt = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            let got = Glibc.read(descriptor, buffer.baseAddress, capacity)
            if got < 0 { failure = errno }
            count = max(0, got)
        }
        if failure == EINTR { return 1 }
        if failure != 0 { return -failure }
        if chunk.isEmpty { return 0 }
        if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
        return 1
    }
}

/// Why a file of the system cannot be read.
struct SystemFileError: Error, Sendable, CustomStringConvertible {
    var path: String
    var code: CInt

    /// The file does not exist: the kernel has no such feature, or it is turned off.
    var isAbsent: Bool { code == ENOENT || code == ENOTSUP || code == EOPNOTSUPP || code == ENODEV || code == ENOTDIR }

    var description: String { "cannot read \(path): \(String(cString: strerror(code)))" }
}
