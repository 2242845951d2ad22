import Codecs

/// A block of logs as far as its head tells: what is in it, and where its sections lie, counted from the block's first byte.
final class LogBlockOutline: Sendable {
    let head: LogBlockHead
    let rowCount: Int
    let times: Range<Int>
    let rowTemplates: Range<Int>
    /// By field of the head.
    let fields: [Range<Int>]
    let rest: Range<Int>
    let metadata: Range<Int>
    let identifiers: Range<Int>
    /// By field: its name as LogQL's `json` names it; nil where that is not sure.
    let names: [[UInt8]?]
    let hasUnsureNames: Bool
    let sieve: NeedleSieve
    /// About what it takes in memory, beside texts that it shares with others.
    let memoryByteCount: Int

    /// Reads the head of the block that lies at `range` of `bytes`, which may end with the head.
    ///
    /// - Parameters:
    ///   - byteCount: of the whole block.
    ///   - version: of the part that it lies in.
    ///   - share: lets a head that will be kept share its texts with others.
    init(
        _ bytes: [UInt8], _ range: Range<Int>, byteCount: Int, rowCount: Int, version: UInt8 = PartFooter.logVersion,
        share: ((inout LogBlockHead) -> Void)? = nil
    ) throws(DecodeError) {
        var reader = ByteReader(bytes, range)
        var times = 0..<0
        if version < PartFooter.logVersion {
            _ = try reader.take(try reader.count("size of times"), "times")
            times = 0..<reader.offset - range.lowerBound
        }
        guard let plain = try BlockCodec.frame(&reader, isWanted: true) else {
            throw DecodeError(offset: reader.offset, field: "head", "missing")
        }
        var head = try LogBlockHead(plain, rowCount: rowCount, version: version)
        share?(&head)
        var offset = reader.offset - range.lowerBound
        func take(_ count: Int, _ field: String) throws(DecodeError) -> Range<Int> {
            guard count <= byteCount - offset else { throw DecodeError(offset: offset, field: field, "\(count) bytes where \(byteCount - offset) are left") }
            defer { offset += count }
            return offset..<offset + count
        }
        if version >= PartFooter.logVersion { times = try take(head.timesByteCount, "times") }
        rowTemplates = try take(head.rowTemplatesByteCount, "row templates")
        var ranges: [Range<Int>] = []
        for field in head.fields { ranges.append(try take(field.byteCount, "field")) }
        fields = ranges
        rest = try take(head.restByteCount, "rest")
        metadata = try take(head.metadataByteCount, "metadata")
        identifiers = try take(head.identifiersByteCount, "identifiers")
        guard offset == byteCount else { throw DecodeError(offset: offset, field: "block", "\(byteCount - offset) bytes too many") }
        self.times = times
        names = head.fields.map { LogFieldName.name($0.path) }
        hasUnsureNames = names.contains { $0 == nil }
        sieve = NeedleSieve(head)
        self.head = head
        self.rowCount = rowCount
        memoryByteCount = head.ownByteCount + sieve.memoryByteCount
    }

    /// Where the head of a block ends; nil where it is none.
    static func headByteCount(_ block: [UInt8]) -> Int? {
        var reader = ByteReader(block)
        do throws(DecodeError) {
            _ = try BlockCodec.frame(&reader, isWanted: false)
            return reader.offset
        } catch {
            return nil
        }
    }

    /// Whether a row has structured metadata, or belongs to a trace or span.
    var hasMetadata: Bool { !metadata.isEmpty }
    var hasIdentifiers: Bool { !identifiers.isEmpty }

    /// The checksum of a section; nil where it has none of its own.
    func checksum(_ section: Section) -> UInt32? {
        let checksums = head.checksums
        if checksums.isEmpty { return nil }
        return switch section {
        case .times: checksums[0]
        case .rowTemplates: checksums[1]
        case .field(let field): checksums[2 + field]
        case .rest: checksums[2 + fields.count]
        case .metadata: checksums[3 + fields.count]
        case .identifiers: checksums[4 + fields.count]
        }
    }

    enum Section {
        case times, rowTemplates, field(Int), rest, metadata, identifiers
    }

    func range(_ section: Section) -> Range<Int> {
        switch section {
        case .times: times
        case .rowTemplates: rowTemplates
        case .field(let field): fields[field]
        case .rest: rest
        case .metadata: metadata
        case .identifiers: identifiers
        }
    }
}
