import Glibc
import Telemetry

/// The labels of a registry's streams: each name and value pair once, under a number, with the slots of the streams that have it.
struct LabelTable: Sendable {
    /// A label name.
    struct Name: Sendable {
        let text: String
        /// The numbers of its pairs.
        var pairs: [UInt32] = []
        /// The slots of the streams that have the label at all.
        var slots = Bitmap()
    }

    private(set) var names: [Name] = []
    /// By the name's bytes: `String` takes different bytes for equal.
    private var nameNumbers: [[UInt8]: UInt32] = [:]
    /// By pair; what a pair was that is gone is "".
    private var pairNames: [UInt32] = []
    private var pairValues: [String] = []
    private(set) var postings: [Postings] = []
    private var pairs = ProbeTable()
    /// Numbers of pairs that are gone.
    private var free: [UInt32] = []
    /// The bytes of all values.
    private(set) var valueByteCount = 0

    /// Pairs there are.
    var count: Int { pairs.count }

    func label(_ pair: UInt32) -> Label {
        Label(names[Int(pairNames[Int(pair)])].text, pairValues[Int(pair)])
    }

    func value(_ pair: UInt32) -> String { pairValues[Int(pair)] }

    /// Whether a pair is this label, byte for byte.
    @inline(__always)
    func isPair(_ pair: UInt32, _ label: Label) -> Bool {
        pairValues[Int(pair)].hasSameUTF8(as: label.value) && names[Int(pairNames[Int(pair)])].text.hasSameUTF8(as: label.name)
    }

    /// The number of a pair, where some stream has it.
    func pair(_ name: String, _ value: String) -> UInt32? {
        let label = Label(name, value)
        return pairs.find(StreamHash.hash(label)) { isPair($0, label) }
    }

    func name(_ text: String) -> Name? {
        nameNumbers[Array(text.utf8)].map { names[Int($0)] }
    }

    /// Notes that a stream has a label.
    ///
    /// - Returns: the pair's number.
    mutating func insert(_ label: Label, slot: UInt32) -> UInt32 {
        let hash = StreamHash.hash(label)
        if let pair = pairs.find(hash, { isPair($0, label) }) {
            postings[Int(pair)].insert(slot)
            names[Int(pairNames[Int(pair)])].slots.insert(slot)
            return pair
        }
        let name = number(of: label.name)
        let pair: UInt32
        if let reused = free.popLast() {
            pair = reused
            pairNames[Int(pair)] = name
            pairValues[Int(pair)] = label.value
            postings[Int(pair)] = .one(slot)
        } else {
            pair = UInt32(truncatingIfNeeded: pairNames.count)
            pairNames.append(name)
            pairValues.append(label.value)
            postings.append(.one(slot))
        }
        valueByteCount += label.value.utf8.count
        pairs.insert(hash, pair)
        names[Int(name)].pairs.append(pair)
        names[Int(name)].slots.insert(slot)
        return pair
    }

    private mutating func number(of name: String) -> UInt32 {
        let key = Array(name.utf8)
        if let number = nameNumbers[key] { return number }
        let number = UInt32(truncatingIfNeeded: names.count)
        // A copy of its own: the text may be a piece of somebody's larger buffer.
        names.append(Name(text: String(decoding: key, as: UTF8.self)))
        nameNumbers[key] = number
        return number
    }

    /// Forgets slots, and the pairs that no other stream has.
    ///
    /// - Parameter touched: the pairs that streams of those slots have.
    mutating func remove(_ slots: Bitmap, touched: Set<UInt32>) {
        var gone: Set<UInt32> = []
        var changedNames: Set<UInt32> = []
        for pair in touched where postings[Int(pair)].subtract(slots) {
            let label = label(pair)
            pairs.remove(StreamHash.hash(label), pair)
            valueByteCount -= label.value.utf8.count
            pairValues[Int(pair)] = ""
            postings[Int(pair)] = .one(0)
            gone.insert(pair)
            changedNames.insert(pairNames[Int(pair)])
        }
        for name in names.indices {
            names[name].slots.subtract(slots)
            if changedNames.contains(UInt32(name)) { names[name].pairs.removeAll { gone.contains($0) } }
        }
        free.append(contentsOf: gone)
        trim()
    }

    /// Gives back the room of pairs at the end that are gone.
    private mutating func trim() {
        guard free.count > 1024, free.count * 2 > pairNames.count else { return }
        let isFree = Set(free)
        var end = pairNames.count
        while end > 0, isFree.contains(UInt32(end - 1)) { end -= 1 }
        pairNames = Array(pairNames[..<end])
        pairValues = Array(pairValues[..<end])
        postings = Array(postings[..<end])
        free = free.filter { $0 < end }
    }
}

extension String {
    /// Whether the bytes are the same. (`==` also takes other spellings of the same characters for equal, which labels do not.)
    @inline(__always)
    func hasSameUTF8(as other: String) -> Bool {
        var (left, right) = (self, other)
        return left.withUTF8 { left in
            right.withUTF8 { right in
                guard left.count == right.count, let a = left.baseAddress, let b = right.baseAddress else { return left.count == right.count }
                return a == b || memcmp(a, b, left.count) == 0
            }
        }
    }
}
