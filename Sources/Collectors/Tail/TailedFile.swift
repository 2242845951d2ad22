import CIntrinsics
import Codecs
import Glibc

/// An open file that is followed: which of its bytes come next, and where its lines end. It stores nothing.
///
/// Reading changes no position; ``commit(_:)`` does, once the lines are stored.
final class TailedFile {
    /// What one read found.
    struct Chunk {
        var lines: [LineCutter.Line] = []
        /// Where the file stands once ``lines`` are stored.
        var offset: Int64
        var tail: FileFingerprint
        var isInsideCutLine: Bool
        /// Whether the file has more to read at once.
        var hasMore = false
        /// Bytes of the content that are done with.
        var byteCount = 0
        /// Up to where the content was looked at.
        var end: Int64 = 0
    }

    /// How a file is to be read.
    struct Manner: Sendable, Hashable {
        var encoding: LineEncoding?
        /// nil: it is not compressed.
        var compression: DecompressionStream.Format?
    }

    private(set) var position: TailPosition
    /// The remembered position where it turned out to be of another file, which is gone and had the same inode.
    let superseded: TailPosition?
    /// When its path was seen to lead elsewhere.
    var orphanedSince: ContinuousClock.Instant?
    private let descriptor: Int32
    private let content: TailContent
    private let encoding: LineEncoding?
    private let converter: LineConverter?
    /// The size when it was last looked at, and since when it has been that.
    private(set) var size: Int64 = 0
    private var modified = timespec()
    private(set) var unchangedSince = ContinuousClock.now
    /// Up to where bytes were looked at: behind the position where they begin a line without its end.
    private var seenSize: Int64 = 0
    /// Counts how often the file was found truncated or replaced: the position started over.
    private(set) var restartCount = 0
    /// Counts lines with bytes that are no characters of their encoding.
    private(set) var damagedLineCount = 0

    /// Opens the file at `path`.
    ///
    /// - Parameter remembered: finds the position of a file that was followed before.
    /// - Returns: nil if it is gone, no regular file, or not readable.
    init?(path: String, manner: Manner = Manner(), remembered: (FileIdentity) -> TailPosition?) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        content = TailContent(descriptor: descriptor, format: manner.compression)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            if descriptor >= 0 { close(descriptor) }
            position = TailPosition(identity: FileIdentity(device: 0, inode: 0), path: path)
            (superseded, encoding, converter) = (nil, nil, nil)
            return nil
        }
        let start = content.read(at: 0, count: 2)
        encoding = manner.encoding?.resolved(start[...])
        converter = encoding.flatMap { LineConverter($0) }
        let identity = FileIdentity(status)
        let birth = apus_file_birth(descriptor)
        let known = remembered(identity)
        let isKnown =
            known?.isOf(
                descriptor: descriptor, birth: birth, size: Int64(status.st_size), isCompressed: content.isCompressed) ?? false
        superseded = isKnown ? nil : known
        position = (isKnown ? known : nil) ?? TailPosition(identity: identity, path: path)
        position.birth = birth
        position.path = path
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Why a compressed file cannot be read any further; nil where it can.
    var failure: DecompressionError? { content.failure }

    /// Whether there is anything to read.
    ///
    /// - Returns: false where the file has not been touched since it was read to its end, and nothing waits for a newline.
    func hasNews(partialLineTimeout: Duration) -> Bool {
        refresh()
        if !isAtEnd { return content.isCompressed ? failure == nil : size > seenSize || isQuiet(partialLineTimeout) }
        return false
    }

    /// Reads up to `byteCount` bytes from the position on and cuts them into lines.
    func read(byteCount: Int, options: TailOptions) -> Chunk {
        refresh()
        let restarts = restartCount
        var chunk = Chunk(
            offset: position.offset, tail: position.tail, isInsideCutLine: position.isInsideCutLine)
        let buffer = content.read(at: position.offset, count: byteCount)
        guard !buffer.isEmpty else { return chunk }
        if !content.isCompressed {
            // What was read counts only if nobody truncated or replaced the file meanwhile.
            refresh()
            if restartCount != restarts { return Chunk(offset: position.offset, tail: position.tail, isInsideCutLine: false, hasMore: true) }
        }
        let end = position.offset + Int64(buffer.count)
        let isAtEnd = content.isAtEnd(end, fileSize: size)
        let isLast = content.isCompressed ? isAtEnd && content.isWhole : isAtEnd && isQuiet(options.partialLineTimeout)
        let cutter = LineCutter(unit: encoding?.unit ?? .byte, byteCountMax: options.lineByteCountMax)
        let used = cutter.cut(buffer, into: &chunk.lines, isInsideCutLine: &chunk.isInsideCutLine, takesPartialLine: isLast)
        chunk.offset = position.offset + Int64(used)
        chunk.byteCount = used
        chunk.hasMore = !isAtEnd && used > 0
        chunk.end = end
        if used > 0, !content.isCompressed {
            let tail = buffer[max(0, used - FileFingerprint.byteCountMax)..<used]
            chunk.tail = FileFingerprint(tail)
        }
        if let converter { convert(&chunk.lines, converter) }
        return chunk
    }

    /// The lines of a chunk are stored, or held back in `checkpoint`: go on behind them.
    func commit(_ chunk: Chunk, checkpoint: [UInt8]) {
        position = self.position(after: chunk, checkpoint: checkpoint)
        seenSize = chunk.end
    }

    /// The position once a chunk is committed.
    func position(after chunk: Chunk, checkpoint: [UInt8]) -> TailPosition {
        var position = position
        position.offset = chunk.offset
        position.tail = chunk.tail
        position.isInsideCutLine = chunk.isInsideCutLine
        position.checkpoint = checkpoint
        return position
    }

    /// The path under which it is found now.
    func move(to path: String) {
        position.path = path
    }

    /// Whether everything in it is stored.
    var isAtEnd: Bool { content.isAtEnd(position.offset, fileSize: size) }

    /// Whether it has been as it is for so long that a line's end is not to be waited for.
    private func isQuiet(_ timeout: Duration) -> Bool { unchangedSince.duration(to: .now) >= timeout }

    private func convert(_ lines: inout [LineCutter.Line], _ converter: LineConverter) {
        for index in lines.indices {
            let (line, isDamaged) = converter.convert(lines[index].bytes)
            lines[index].bytes = line
            if isDamaged { damagedLineCount += 1 }
        }
    }

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
        if !position.isUnchanged(descriptor: descriptor, size: newSize, isCompressed: content.isCompressed) {
            position.offset = 0
            position.isInsideCutLine = false
            position.head = .none
            position.tail = .none
            seenSize = 0
            content.restart()
            restartCount += 1
        }
        if position.head.byteCount < FileFingerprint.byteCountMax, newSize > position.head.byteCount {
            let byteCount = Int(min(newSize, Int64(FileFingerprint.byteCountMax)))
            position.head = FileFingerprint(descriptor: descriptor, byteCount: byteCount, before: Int64(byteCount)) ?? .none
        }
    }
}
