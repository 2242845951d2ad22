import Codecs
import Glibc

/// The bytes of a file, expanded where it is a compressed one. Offsets count bytes of the content.
///
/// A compressed file is expanded piece by piece as it is read; going on behind a restart means to expand it again up to there.
final class TailContent {
    private let descriptor: Int32
    private let format: DecompressionStream.Format?
    private var stream: DecompressionStream?
    /// Bytes of the compressed file that the stream has taken.
    private var consumed: Int64 = 0
    /// Content that was expanded and not yet passed by: it starts at ``windowStart``.
    private var window: [UInt8] = []
    private var windowStart: Int64 = 0
    /// Set once the file cannot be expanded any further.
    private(set) var failure: DecompressionError?
    private static let inputByteCount = 64 << 10

    init(descriptor: Int32, format: DecompressionStream.Format?) {
        self.descriptor = descriptor
        self.format = format
        stream = format.map { DecompressionStream($0) }
    }

    var isCompressed: Bool { format != nil }

    /// Whether everything up to `offset` of the content is all there is as long as the compressed file does not grow.
    func isAtEnd(_ offset: Int64, fileSize: Int64) -> Bool {
        guard isCompressed else { return offset >= fileSize }
        return consumed >= fileSize && offset >= windowStart + Int64(window.count)
    }

    /// Whether a compressed file ends here as its writer meant it to.
    var isWhole: Bool { failure == nil && stream?.isAtMemberEnd == true }

    /// Up to `count` bytes of the content at `offset`; none where there are no more yet.
    func read(at offset: Int64, count: Int) -> [UInt8] {
        guard isCompressed else { return readFile(at: offset, count: count) }
        if offset < windowStart { restart() }
        while windowStart + Int64(window.count) < offset + Int64(count), expand() {
            // Nobody asks for what lies before `offset` any more.
            let passed = Int(min(max(0, offset - windowStart), Int64(window.count)))
            if passed > 1 << 20 { drop(passed) }
        }
        drop(Int(min(max(0, offset - windowStart), Int64(window.count))))
        guard windowStart == offset else { return [] }
        return Array(window.prefix(count))
    }

    /// Begins at the start of the file, which was replaced.
    func restart() {
        guard let format else { return }
        stream = DecompressionStream(format)
        (consumed, window, windowStart, failure) = (0, [], 0, nil)
    }

    private func drop(_ count: Int) {
        window.removeFirst(count)
        windowStart += Int64(count)
    }

    /// Expands the next piece of the file; false where there is none.
    private func expand() -> Bool {
        guard let stream, failure == nil else { return false }
        let input = readFile(at: consumed, count: Self.inputByteCount)
        let before = window.count
        do throws(DecompressionError) {
            consumed += Int64(try stream.append(input.span, to: &window, byteCountMax: 1 << 20))
        } catch {
            failure = error
        }
        return window.count > before || !input.isEmpty && failure == nil
    }

    private func readFile(at offset: Int64, count: Int) -> [UInt8] {
        guard count > 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            var done = 0
            while done < count {
                // SAFETY: `done` < `count`, the buffer's capacity.
                let got = pread(descriptor, buffer.baseAddress! + done, count - done, off_t(offset) + off_t(done))
                if got < 0, errno == EINTR { continue }
                if got <= 0 { break }
                done += got
            }
            initializedCount = done
        }
    }
}
