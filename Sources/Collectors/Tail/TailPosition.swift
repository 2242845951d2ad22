import Glibc

/// Which file it is, whatever its name is now.
struct FileIdentity: Sendable, Hashable {
    var device: UInt64
    var inode: UInt64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// A hash of the first bytes of a file. File systems give an inode to a new file as soon as the old one is gone, so device and
/// inode alone do not say that a file is still the same.
struct FileFingerprint: Sendable, Hashable {
    /// The most bytes hashed; a file that was shorter is hashed as far as it went.
    static let byteCountMax = 256

    var byteCount: Int
    var hash: UInt64

    /// Nothing is known yet.
    static let none = FileFingerprint(byteCount: 0, hash: 0)

    /// Hashes the first `byteCount` bytes; nil where the file has fewer.
    init?(descriptor: Int32, byteCount: Int) {
        var buffer = [UInt8](repeating: 0, count: byteCount)
        guard byteCount == 0 || pread(descriptor, &buffer, byteCount, 0) == byteCount else { return nil }
        var hash = FNV1a()
        for byte in buffer { hash.combine(byte) }
        self.init(byteCount: byteCount, hash: byteCount == 0 ? 0 : hash.value)
    }

    init(byteCount: Int, hash: UInt64) {
        self.byteCount = byteCount
        self.hash = hash
    }
}

/// How far a file has been read and stored: what outlives a restart.
struct TailPosition: Sendable, Hashable {
    var identity: FileIdentity
    var fingerprint = FileFingerprint.none
    /// The first byte not stored yet.
    var offset: Int64 = 0
    /// Whether the bytes at ``offset`` are the rest of a line that was cut.
    var isInsideCutLine = false
    /// Where the file was seen last.
    var path: String

    /// The namespace of positions in the state store.
    static let namespace = "tail"

    func key(configuration: String) -> String { "\(configuration)/\(identity.device):\(identity.inode)" }

    /// One line of text: version, device, inode, fingerprint, offset, flag, and the path to the end.
    var encoded: [UInt8] {
        Array(
            "1 \(identity.device) \(identity.inode) \(fingerprint.byteCount) \(fingerprint.hash) \(offset) \(isInsideCutLine ? 1 : 0) \(path)"
                .utf8)
    }

    /// Reads ``encoded``; nil where it is damaged or of another version.
    init?(_ bytes: [UInt8]) {
        let parts = String(decoding: bytes, as: UTF8.self).split(
            separator: " ", maxSplits: 7, omittingEmptySubsequences: false)
        guard parts.count == 8, parts[0] == "1", let device = UInt64(parts[1]), let inode = UInt64(parts[2]),
            let count = Int(parts[3]),
            (0...FileFingerprint.byteCountMax).contains(count), let hash = UInt64(parts[4]),
            let offset = Int64(parts[5]), offset >= 0
        else { return nil }
        identity = FileIdentity(device: device, inode: inode)
        fingerprint = FileFingerprint(byteCount: count, hash: hash)
        self.offset = offset
        isInsideCutLine = parts[6] == "1"
        path = String(parts[7])
    }

    init(identity: FileIdentity, path: String) {
        self.identity = identity
        self.path = path
    }
}
