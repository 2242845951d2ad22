/// One label: a name and a value, any UTF-8.
package struct Label: Sendable, Hashable, Comparable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package static func < (left: Label, right: Label) -> Bool {
        left.name.utf8Precedes(right.name) || (left.name == right.name && left.value.utf8Precedes(right.value))
    }
}

/// A label set: sorted by name (byte order), each name once, no empty values (an empty value means "no such label").
package struct Labels: Sendable, Hashable {
    /// The labels, sorted by name in byte order.
    package private(set) var pairs: [Label]

    /// The name of the label that holds a metric's name.
    package static let metricName = "__name__"
    /// No labels.
    package static let empty = Labels(sorted: [])

    /// Takes labels that are sorted by name already, each name once and no value empty.
    package init(sorted pairs: [Label]) {
        self.pairs = pairs
    }

    /// Sorts `pairs`, drops empty values; of a name that occurs twice the last value stays.
    package init(_ pairs: some Sequence<Label>) {
        var sorted: [Label] = []
        for pair in pairs { sorted.append(pair) }
        self.init(unsorted: sorted)
    }

    /// The same for an array: decoders make label sets by the million, and unspecialised generic code across modules costs more
    /// than the work itself.
    package init(_ pairs: [Label]) {
        self.init(unsorted: pairs)
    }

    /// The same as a dictionary literal would read: `Labels(["job": "api"])`.
    package init(_ pairs: KeyValuePairs<String, String>) {
        self.init(unsorted: pairs.map { Label($0.key, $0.value) })
    }

    private init(unsorted: [Label]) {
        var isSorted = true
        for index in unsorted.indices {
            if unsorted[index].value.isEmpty || (index > 0 && !unsorted[index - 1].name.utf8Precedes(unsorted[index].name)) {
                isSorted = false
                break
            }
        }
        if isSorted {
            pairs = unsorted
            return
        }
        let order = unsorted.indices.sorted {
            let (left, right) = (unsorted[$0].name, unsorted[$1].name)
            return left == right ? $0 < $1 : left.utf8Precedes(right)
        }
        pairs = []
        pairs.reserveCapacity(unsorted.count)
        for index in order {
            if pairs.last?.name == unsorted[index].name { pairs.removeLast() }
            pairs.append(unsorted[index])
        }
        pairs.removeAll { $0.value.isEmpty }
    }

    package var isEmpty: Bool { pairs.isEmpty }
    package var count: Int { pairs.count }

    /// The value of `name`; nil where the label is absent. Setting nil or "" removes it.
    package subscript(name: String) -> String? {
        get {
            // Label sets are short: a walk beats a binary search over strings.
            for pair in pairs where pair.name == name { return pair.value }
            return nil
        }
        set {
            let value = newValue ?? ""
            if let index = pairs.firstIndex(where: { $0.name == name }) {
                if value.isEmpty { pairs.remove(at: index) } else { pairs[index].value = value }
            } else if !value.isEmpty {
                let index = pairs.firstIndex { name.utf8Precedes($0.name) } ?? pairs.endIndex
                pairs.insert(Label(name, value), at: index)
            }
        }
    }

    /// Only the labels named.
    package func keeping(_ names: Set<String>) -> Labels {
        Labels(sorted: pairs.filter { names.contains($0.name) })
    }

    /// All but the labels named.
    package func dropping(_ names: Set<String>) -> Labels {
        Labels(sorted: pairs.filter { !names.contains($0.name) })
    }

    /// All but the metric's name.
    package var withoutMetricName: Labels {
        Labels(sorted: pairs.filter { $0.name != Labels.metricName })
    }
}

extension Labels: Comparable {
    /// Byte order, label by label: name, then value; a prefix comes first.
    package static func < (left: Labels, right: Labels) -> Bool {
        for (a, b) in zip(left.pairs, right.pairs) where a != b { return a < b }
        return left.count < right.count
    }
}

extension Labels: CustomStringConvertible {
    /// As Prometheus prints it: `{job="api", zone="b"}`; names that are no plain identifiers are quoted.
    package var description: String {
        var text = "{"
        for (index, pair) in pairs.enumerated() {
            if index > 0 { text += ", " }
            text += pair.name.isLabelIdentifier ? pair.name : pair.name.quoted
            text += "="
            text += pair.value.quoted
        }
        return text + "}"
    }
}

extension String {
    /// Byte order of the UTF-8 (which Swift's own `<` follows only for normalised text).
    package func utf8Precedes(_ other: String) -> Bool {
        let precedes = utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in Self.precedes(left, right) }
        }
        return (precedes ?? nil) ?? utf8.lexicographicallyPrecedes(other.utf8)
    }

    /// Eight bytes at a time: label values of one name often begin alike.
    private static func precedes(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        let count = Swift.min(left.count, right.count)
        let (leftBytes, rightBytes) = (UnsafeRawBufferPointer(left), UnsafeRawBufferPointer(right))
        var index = 0
        while index + 8 <= count {
            let one = UInt64(bigEndian: leftBytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let other = UInt64(bigEndian: rightBytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            if one != other { return one < other }
            index += 8
        }
        while index < count {
            if left[index] != right[index] { return left[index] < right[index] }
            index += 1
        }
        return left.count < right.count
    }

    /// Whether it is `[a-zA-Z_][a-zA-Z0-9_]*`: a label name that needs no quotes.
    package var isLabelIdentifier: Bool {
        var isFirst = true
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): break
            case UInt8(ascii: "0")...UInt8(ascii: "9") where !isFirst: break
            default: return false
            }
            isFirst = false
        }
        return !isFirst
    }

    /// In double quotes, with `\`, `"` and control characters escaped as Go's `%q` does.
    package var quoted: String {
        var text = "\""
        for scalar in unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\t": text += "\\t"
            case "\r": text += "\\r"
            case "\u{7}": text += "\\a"
            case "\u{8}": text += "\\b"
            case "\u{b}": text += "\\v"
            case "\u{c}": text += "\\f"
            case "\0"..<" ", "\u{7f}":
                let hex = String(scalar.value, radix: 16)
                text += "\\x" + (hex.count == 1 ? "0" : "") + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
