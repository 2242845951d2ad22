import CIntrinsics
import Codecs
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

/// A hash of some bytes of a file.
struct FileFingerprint: Sendable, Hashable {
    /// The most bytes hashed; a file that was shorter is hashed as far as it went.
    static let byteCountMax = 256

    var byteCount: Int
    var hash: UInt64

    /// Nothing is known yet.
    static let none = FileFingerprint(byteCount: 0, hash: 0)

    /// Hashes the `byteCount` bytes before `end`; nil where the file has fewer.
    init?(descriptor: Int32, byteCount: Int, before end: Int64) {
        var buffer = [UInt8](repeating: 0, count: byteCount)
        let start = end - Int64(byteCount)
        guard byteCount == 0 || start >= 0 && pread(descriptor, &buffer, byteCount, off_t(start)) == byteCount else { return nil }
        self.init(buffer[...])
    }

    init(_ bytes: ArraySlice<UInt8>) {
        var hash = FNV1a()
        for byte in bytes { hash.combine(byte) }
        self.init(byteCount: bytes.count, hash: bytes.isEmpty ? 0 : hash.value)
    }

    init(byteCount: Int, hash: UInt64) {
        self.byteCount = byteCount
        self.hash = hash
    }
}

/// How far a file has been read and stored: what outlives a restart.
struct TailPosition: Sendable, Hashable {
    var identity: FileIdentity
    /// When the file was made, in nanoseconds since the Unix epoch; 0 where its file system does not say. File systems give an inode to a
    /// new file as soon as the old one is gone, so device and inode alone do not say that a file is still the same.
    var birth: Int64 = 0
    /// Of the first bytes of the file.
    var head = FileFingerprint.none
    /// Of the last bytes before ``offset``; none in a compressed file.
    var tail = FileFingerprint.none
    /// The first byte of the content that is not read yet.
    var offset: Int64 = 0
    /// Whether the bytes at ``offset`` are the rest of a line that was cut.
    var isInsideCutLine = false
    /// What lies between the lines before ``offset`` and those stored: held back by stages, or pieces of a container's line.
    var checkpoint: [UInt8] = []
    /// Where the file was seen last.
    var path: String

    /// The namespace of positions in the state store.
    static let namespace = "tail"

    func key(configuration: String) -> String { "\(configuration)/\(identity.device):\(identity.inode)" }

    /// One line of text: version, device, inode, birth, the fingerprints, offset, flag, checkpoint (`-` or Base64), and the path to the end.
    var encoded: [UInt8] {
        let held = checkpoint.isEmpty ? "-" : Base64.encode(checkpoint)
        let numbers = "\(head.byteCount) \(head.hash) \(tail.byteCount) \(tail.hash) \(offset) \(isInsideCutLine ? 1 : 0)"
        return Array("3 \(identity.device) \(identity.inode) \(birth) \(numbers) \(held) \(path)".utf8)
    }

    /// Reads ``encoded`` (version 2 had no birth); nil where it is damaged or of another version.
    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        var parts = text.split(separator: " ", maxSplits: text.hasPrefix("2 ") ? 10 : 11, omittingEmptySubsequences: false)
        if parts.count == 11, parts[0] == "2" {
            parts.insert("0", at: 3)
        } else if parts.first != "3" {
            return nil
        }
        guard parts.count == 12, let device = UInt64(parts[1]), let inode = UInt64(parts[2]),
            let birth = Int64(parts[3]), let head = Self.fingerprint(parts[4], parts[5]),
            let tail = Self.fingerprint(parts[6], parts[7]), let offset = Int64(parts[8]), offset >= 0
        else { return nil }
        identity = FileIdentity(device: device, inode: inode)
        self.birth = birth
        self.head = head
        self.tail = tail
        self.offset = offset
        isInsideCutLine = parts[9] == "1"
        if parts[10] != "-" {
            guard let held = Base64.decode(String(parts[10])) else { return nil }
            checkpoint = held
        }
        path = String(parts[11])
    }

    init(identity: FileIdentity, birth: Int64 = 0, path: String) {
        self.identity = identity
        self.birth = birth
        self.path = path
    }

    /// Whether an open file of the same device and inode is the one that this is about. One that was truncated since is the same where
    /// its file system tells when it was made; else it cannot be told from another one.
    func isOf(descriptor: Int32, birth: Int64, size: Int64, isCompressed: Bool) -> Bool {
        if birth != 0, self.birth != 0 { return birth == self.birth }
        return isUnchanged(descriptor: descriptor, size: size, isCompressed: isCompressed)
    }

    /// Whether the known bytes of the file stand where they did.
    func isUnchanged(descriptor: Int32, size: Int64, isCompressed: Bool) -> Bool {
        if head.byteCount > 0 {
            guard FileFingerprint(descriptor: descriptor, byteCount: head.byteCount, before: Int64(head.byteCount)) == head
            else { return false }
        }
        if isCompressed { return true }
        if size < offset { return false }
        guard tail.byteCount > 0 else { return true }
        return FileFingerprint(descriptor: descriptor, byteCount: tail.byteCount, before: offset) == tail
    }

    private static func fingerprint(_ count: Substring, _ hash: Substring) -> FileFingerprint? {
        guard let count = Int(count), (0...FileFingerprint.byteCountMax).contains(count), let hash = UInt64(hash) else {
            return nil
        }
        return FileFingerprint(byteCount: count, hash: hash)
    }
}
