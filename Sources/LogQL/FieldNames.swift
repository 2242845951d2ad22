/// The names of fields as they come in lines, and the labels that they become: worked out once for each name, not once a line.
final class FieldNames {
    struct Entry {
        fileprivate var parent: Int
        /// The name as it stands in the line.
        fileprivate var raw: [UInt8]
        fileprivate var label: [UInt8]
        /// The label's name, with those of the fields around it.
        var name: String
        /// Something reads the label by this name, or by the one that it gets where the stream has that name already.
        var isWanted: Bool
        var isWantedExtracted: Bool
        /// Something reads a label of a field within.
        var mayHoldWanted: Bool
    }

    /// What has no field around it.
    static let root = -1

    /// A service that makes up names without end must not fill the memory: beyond that many, all are forgotten.
    private static let countMax = 10_000

    private let needed: Set<String>?
    private(set) var entries: [Entry] = []
    /// Indexes into ``entries``, or -1; a power of two long.
    private var table = [Int](repeating: -1, count: 256)

    /// - Parameter needed: the labels that something reads; nil: all.
    init(needed: Set<String>?) {
        self.needed = needed
    }

    /// To be called before each line: indexes of entries are good until then.
    func beginLine() {
        guard entries.count > Self.countMax else { return }
        entries.removeAll()
        table = [Int](repeating: -1, count: 256)
    }

    /// The index of the field `raw` within the field `parent`.
    ///
    /// - Parameter text: its name without escapes; asked for only where the field is new.
    func index(_ raw: ArraySlice<UInt8>, in parent: Int, text: () -> String) -> Int {
        // FNV-1a over the name, seeded with the parent.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(bitPattern: Int64(parent))
        for byte in raw { hash = (hash ^ UInt64(byte)) &* 0x0100_0000_01b3 }
        var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & (table.count - 1)
        while table[slot] >= 0 {
            let index = table[slot]
            if entries[index].parent == parent, entries[index].raw.elementsEqual(raw) { return index }
            slot = (slot + 1) & (table.count - 1)
        }
        return insert(raw, parent, text(), slot)
    }

    private func insert(_ raw: ArraySlice<UInt8>, _ parent: Int, _ text: String, _ slot: Int) -> Int {
        let label = LabelName.append(text, to: parent < 0 ? [] : entries[parent].label)
        let name = String(decoding: label, as: UTF8.self)
        let prefix = name + "_"
        entries.append(
            Entry(
                parent: parent, raw: Array(raw), label: label, name: name,
                isWanted: !name.isEmpty && (needed?.contains(name) ?? true),
                isWantedExtracted: !name.isEmpty && (needed?.contains(name + RowLabels.conflictSuffix) ?? true),
                mayHoldWanted: needed?.contains { $0.hasPrefix(prefix) } ?? true))
        table[slot] = entries.count - 1
        if entries.count * 2 > table.count { grow() }
        return entries.count - 1
    }

    private func grow() {
        table = [Int](repeating: -1, count: table.count * 4)
        for (index, entry) in entries.enumerated() {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(bitPattern: Int64(entry.parent))
            for byte in entry.raw { hash = (hash ^ UInt64(byte)) &* 0x0100_0000_01b3 }
            var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & (table.count - 1)
            while table[slot] >= 0 { slot = (slot + 1) & (table.count - 1) }
            table[slot] = index
        }
    }

    /// The name of the label that the field becomes among these labels; nil where nothing reads it.
    func label(_ index: Int, among labels: borrowing RowLabels) -> String? {
        let entry = entries[index]
        guard entry.isWanted || entry.isWantedExtracted else { return nil }
        if labels.hasConflict(entry.name) { return entry.isWantedExtracted ? entry.name + RowLabels.conflictSuffix : nil }
        return entry.isWanted ? entry.name : nil
    }
}
