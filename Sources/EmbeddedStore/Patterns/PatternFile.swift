import Codecs
import Telemetry

/// The file in which a day keeps how often each pattern of log lines came: a record for each flush. Byte for byte: docs/format/patterns.md.
struct PatternFile {
    static let name = "patterns"
    private static let version: UInt8 = 1

    private let path: String
    private let folder: String
    private let fileSystem: any FileSystem
    private let number: UInt64

    init(day: Int64, folder: String, fileSystem: any FileSystem) {
        self.folder = folder
        self.fileSystem = fileSystem
        path = folder + "/" + Self.name
        number = UInt64(bitPattern: day) << 2 | 0x5041_0000_0000_0001
    }

    /// Appends counts. They need not survive a crash as lines do, so nothing is synced.
    func append(_ counts: [PatternBook.Count]) throws(StoreError) {
        let file = try fileSystem.open(path, .update)
        let offset = try file.byteCount()
        var bytes: [UInt8] = []
        RecordFraming.append(Self.encode(counts), to: &bytes, offset: offset, file: number)
        try file.write(bytes, at: offset)
    }

    /// All counts. Records that are damaged, or that a crash cut off, are left out: nothing but counts is in them.
    func read() throws(StoreError) -> [PatternBook.Count] {
        guard try fileSystem.list(folder).contains(Self.name) else { return [] }
        let bytes = try fileSystem.contents(of: path)
        var counts: [PatternBook.Count] = []
        for payload in RecordWalk(bytes, from: 0, file: number).payloads {
            if let found = try? Self.decode(bytes, payload) { counts += found }
        }
        return counts
    }

    static func encode(_ counts: [PatternBook.Count]) -> [UInt8] {
        var body: [UInt8] = []
        body.append(count: counts.count)
        for count in counts {
            body.append(text: count.service)
            body.append(fixed64: count.id)
            body.append(count.level.rawValue)
            body.append(text: count.field ?? "")
            body.append(count: count.words.count)
            for word in count.words { body.append(text: word) }
            body.append(count: count.counts.count)
            var previous: Int64 = 0
            for (minute, value) in count.counts.sorted(by: { $0.key < $1.key }) {
                body.append(signed: minute - previous)
                body.append(count: max(0, value))
                previous = minute
            }
        }
        var payload = [version]
        BlockCodec.appendFrame(body, to: &payload)
        return payload
    }

    static func decode(_ bytes: [UInt8], _ range: Range<Int>) throws(DecodeError) -> [PatternBook.Count] {
        var outer = ByteReader(bytes, range)
        guard try outer.byte("version") == version else { throw DecodeError(offset: range.lowerBound, field: "version", "unknown") }
        var reader = ByteReader(try BlockCodec.frame(&outer, isWanted: true) ?? [])
        var counts: [PatternBook.Count] = []
        for _ in 0..<(try reader.count("patterns", byteCountMin: 12)) {
            let service = try reader.text("service")
            let id = try reader.fixed64("id")
            guard let level = PatternText.Level(rawValue: try reader.byte("level")) else {
                throw DecodeError(offset: reader.offset, field: "level", "unknown")
            }
            let field = try reader.text("field")
            var words: [String] = []
            for _ in 0..<(try reader.count("words")) { words.append(try reader.text("word")) }
            var minutes: [Int64: Int] = [:]
            var minute: Int64 = 0
            for _ in 0..<(try reader.count("minutes", byteCountMin: 2)) {
                minute = minute &+ (try reader.signed("minute"))
                minutes[minute] = Int(clamping: try reader.varint("lines"))
            }
            counts.append(
                PatternBook.Count(service: service, id: id, level: level, field: field.isEmpty ? nil : field, words: words, counts: minutes))
        }
        return counts
    }
}
