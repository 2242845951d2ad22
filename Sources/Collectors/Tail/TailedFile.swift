import Glibc

/// An open file that is followed: which of its bytes come next, and where its lines end. It stores nothing.
///
/// Reading changes no position; ``commit(_:)`` does, once the lines are stored.
final class TailedFile {
    /// A line as it stands in the file.
    struct Line {
        var bytes: [UInt8]
        /// How long it was where it had to be cut; else nil.
        var originalByteCount: Int?
    }

    /// What one read found.
    struct Chunk {
        var lines: [Line] = []
        /// Where the file stands once ``lines`` are stored.
        var offset: Int64
        var isInsideCutLine: Bool
        /// Whether the file has more to read at once.
        var hasMore = false
    }

    private(set) var position: TailPosition
    /// When its path was seen to lead elsewhere.
    var orphanedSince: ContinuousClock.Instant?
    private let descriptor: Int32
    /// The size when it was last looked at, and since when it has been that.
    private(set) var size: Int64 = 0
    private var modified = timespec()
    private var unchangedSince = ContinuousClock.now
    /// Set when the file was found truncated or replaced since the last call: the position started over.
    private(set) var restartCount = 0

    /// Opens the file at `path`.
    ///
    /// - Parameter remembered: finds the position of a file that was followed before.
    /// - Returns: nil if it is gone, no regular file, or not readable.
    init?(path: String, remembered: (FileIdentity) -> TailPosition?) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            if descriptor >= 0 { close(descriptor) }
            position = TailPosition(identity: FileIdentity(device: 0, inode: 0), path: path)
            return nil
        }
        let identity = FileIdentity(status)
        position = remembered(identity) ?? TailPosition(identity: identity, path: path)
        position.path = path
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Reads up to `byteCount` bytes from the position on and cuts them into lines.
    func read(byteCount: Int, options: TailOptions) -> Chunk {
        var chunk = Chunk(offset: position.offset, isInsideCutLine: position.isInsideCutLine)
        refresh()
        chunk.offset = position.offset
        chunk.isInsideCutLine = position.isInsideCutLine
        guard size > position.offset else { return chunk }
        let wanted = Int(min(Int64(byteCount), size - position.offset))
        var buffer = [UInt8](repeating: 0, count: wanted)
        let count = pread(descriptor, &buffer, wanted, off_t(position.offset))
        guard count > 0 else { return chunk }
        buffer.removeLast(wanted - count)
        let isAtEnd = position.offset + Int64(count) >= size
        let isQuiet = isAtEnd && unchangedSince.duration(to: .now) >= options.partialLineTimeout
        let used = cut(buffer, into: &chunk, takesPartialLine: isQuiet, options: options)
        chunk.offset = position.offset + Int64(used)
        chunk.hasMore = !isAtEnd && used > 0
        return chunk
    }

    /// The lines of a chunk are stored: go on behind them.
    func commit(_ chunk: Chunk) {
        position.offset = chunk.offset
        position.isInsideCutLine = chunk.isInsideCutLine
    }

    /// The path under which it is found now.
    func move(to path: String) {
        position.path = path
    }

    /// Whether everything in it is stored.
    var isAtEnd: Bool { position.offset >= size }

    /// Looks at the size; starts over where the file was truncated or written anew (copytruncate).
    private func refresh() {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return }
        let newSize = Int64(status.st_size)
        let isTouched =
            newSize != size || status.st_mtim.tv_sec != modified.tv_sec || status.st_mtim.tv_nsec != modified.tv_nsec
        guard isTouched else { return }
        if newSize != size { unchangedSince = .now }
        (size, modified) = (newSize, status.st_mtim)
        let known = position.fingerprint
        if newSize < position.offset || FileFingerprint(descriptor: descriptor, byteCount: known.byteCount) != known {
            position.offset = 0
            position.isInsideCutLine = false
            position.fingerprint = .none
            restartCount += 1
        }
        if position.fingerprint.byteCount < FileFingerprint.byteCountMax, newSize > position.fingerprint.byteCount {
            let byteCount = Int(min(newSize, Int64(FileFingerprint.byteCountMax)))
            position.fingerprint = FileFingerprint(descriptor: descriptor, byteCount: byteCount) ?? .none
        }
    }

    /// - Returns: how many bytes of `buffer` are done with.
    private func cut(_ buffer: [UInt8], into chunk: inout Chunk, takesPartialLine: Bool, options: TailOptions) -> Int {
        var start = 0
        while let newline = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if chunk.isInsideCutLine {
                chunk.isInsideCutLine = false
            } else {
                chunk.lines.append(Self.line(buffer[start..<newline], byteCountMax: options.lineByteCountMax))
            }
            start = newline + 1
        }
        let rest = buffer.count - start
        if rest == 0 { return start }
        if chunk.isInsideCutLine { return buffer.count }
        if rest > options.lineByteCountMax {
            // No end in sight: what is here is the line, and everything up to the next newline is left out.
            chunk.lines.append(Self.line(buffer[start...], byteCountMax: options.lineByteCountMax))
            chunk.isInsideCutLine = true
            return buffer.count
        }
        guard takesPartialLine else { return start }
        chunk.lines.append(Self.line(buffer[start...], byteCountMax: options.lineByteCountMax))
        return buffer.count
    }

    private static func line(_ bytes: ArraySlice<UInt8>, byteCountMax: Int) -> Line {
        var bytes = bytes
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard bytes.count > byteCountMax else { return Line(bytes: Array(bytes)) }
        var kept = bytes.prefix(byteCountMax)
        // Not within a character: continuation bytes look like 10xxxxxx.
        while let next = bytes[kept.endIndex...].first, next & 0xc0 == 0x80, !kept.isEmpty {
            kept.removeLast()
            if kept.count < byteCountMax - 4 { break }
        }
        return Line(bytes: Array(kept), originalByteCount: bytes.count)
    }
}
