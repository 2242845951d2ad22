/// Cuts systemd's export format into entries ("Journal Export Format", systemd.io/JOURNAL_EXPORT_FORMATS).
struct JournalExport {
    /// An entry: its fields, some of which may come more than once.
    struct Entry: Equatable {
        var fields: [(name: String, value: [UInt8])] = []

        static func == (left: Entry, right: Entry) -> Bool {
            left.fields.count == right.fields.count
                && zip(left.fields, right.fields).allSatisfy { $0.name == $1.name && $0.value == $1.value }
        }

        /// The value of a field as text; nil where it is not there.
        func text(_ name: String) -> String? {
            fields.first { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
        }
    }

    private var buffer: [UInt8] = []
    private var entry = Entry()
    /// A field may be a core dump: more of it is left out.
    private static let fieldByteCountMax = 64 << 20

    /// Takes bytes, and adds the entries that are whole now.
    mutating func feed(_ bytes: [UInt8], into entries: inout [Entry]) {
        buffer += bytes
        var start = 0
        while let end = buffer[start...].firstIndex(of: 0x0a) {
            if end == start {
                start += 1
                finish(into: &entries)
                continue
            }
            let line = buffer[start..<end]
            if let equals = line.firstIndex(of: UInt8(ascii: "=")) {
                entry.fields.append((Self.text(line[..<equals]), Array(line[(equals + 1)...])))
                start = end + 1
                continue
            }
            // A binary field: its size in eight bytes, its bytes, a newline.
            guard buffer.count - (end + 1) >= 8 else { break }
            let size = (0..<8).reduce(UInt64(0)) { $0 | UInt64(buffer[end + 1 + $1]) << UInt64(8 * $1) }
            guard size <= UInt64(Self.fieldByteCountMax) else {
                // No journal writes such a size: begin anew at the next entry.
                entry = Entry()
                start = end + 9
                continue
            }
            let first = end + 9
            guard buffer.count - first > Int(size) else { break }
            entry.fields.append((Self.text(line), Array(buffer[first..<(first + Int(size))])))
            start = first + Int(size) + 1
        }
        buffer.removeFirst(start)
    }

    private mutating func finish(into entries: inout [Entry]) {
        if !entry.fields.isEmpty { entries.append(entry) }
        entry = Entry()
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
