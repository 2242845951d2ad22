import Codecs
import Telemetry

/// An open part: reads and decodes its blocks. Belongs to one scan or merge.
final class PartReader {
    let part: Part
    let directory: PartDirectory
    let file: any StoreFile
    /// What was read last, in case that the next block lies in it: streams that are read together lie together.
    private var window: [UInt8] = []
    private var windowStart = 0
    /// Where the block that was read last ends.
    private var lastEnd = 0

    private static let windowByteCount = 128 << 10

    init(part: Part, file: any StoreFile, directory: PartDirectory) {
        self.part = part
        self.file = file
        self.directory = directory
    }

    /// The bytes of a block, checked.
    func bytes(_ index: Int) throws(StoreError) -> [UInt8] {
        let block = directory.blocks[index]
        let bytes = try read(block.offset, Int(block.byteCount))
        let found = CRC32C.checksum(bytes.span)
        guard bytes.count == Int(block.byteCount), found == block.checksum else {
            throw part.damaged("block \(index)", block.offset, "checksum \(hex(found)), expected \(hex(block.checksum))")
        }
        return bytes
    }

    /// The rows of a block.
    func run(_ index: Int, columns: ScanRequest.Columns) throws(StoreError) -> Run {
        let block = directory.blocks[index]
        let bytes = try bytes(index)
        do {
            return try BlockCodec.decode(bytes, block.kind, rowCount: Int(block.rowCount), columns: columns)
        } catch {
            throw part.damaged("block \(index)", block.offset, error.description)
        }
    }

    func timestamps(_ index: Int) throws(StoreError) -> [Int64] {
        let block = directory.blocks[index]
        let bytes = try bytes(index)
        do {
            return try BlockCodec.decodeTimestamps(bytes, rowCount: Int(block.rowCount))
        } catch {
            throw part.damaged("block \(index)", block.offset, error.description)
        }
    }

    private func read(_ offset: Int, _ count: Int) throws(StoreError) -> [UInt8] {
        if offset >= windowStart, offset + count <= windowStart + window.count {
            lastEnd = offset + count
            return Array(window[(offset - windowStart)..<(offset - windowStart + count)])
        }
        // Reading ahead pays only for a reader that goes forward through the file.
        let isForward = offset >= lastEnd && offset - lastEnd <= Self.windowByteCount / 2
        lastEnd = offset + count
        if !isForward || count >= Self.windowByteCount / 2 { return try file.read(at: offset, count: count) }
        window = try file.read(at: offset, count: min(Self.windowByteCount, max(count, part.footer.directoryOffset - offset)))
        windowStart = offset
        return Array(window.prefix(count))
    }
}
