import Telemetry

/// The groups of series that were met before, found by where their labels' texts lie rather than by what they say: a store hands out the
/// same text for the same value again and again.
struct LabelGroupCache: Sendable {
    /// A text's two words: texts with equal words are equal, but not the other way round.
    private struct Identity: Equatable {
        var low: UInt64
        var high: UInt64

        @inline(__always)
        init(_ text: String) {
            // SAFETY: a String is two words (the size is checked when this is compiled), and they are only compared.
            (low, high) = unsafeBitCast(text, to: (UInt64, UInt64).self)
        }
    }

    private struct Entry {
        var group: Int
        /// Held so that no other text comes to lie at the same place.
        var labels: [Label]
    }

    /// Whether a label's name belongs to the group, at the place among a series' labels where it was met last.
    private struct Name {
        var text: String
        var isKept: Bool
    }

    private static let entryCountMax = 1 << 16

    private var names: [Name] = []
    private var entries: [Entry] = []
    private var byHash: [UInt64: Int] = [:]

    /// The group of a series like this one; nil where none was noted.
    mutating func group(of series: Labels, _ choice: LabelChoice) -> Int? {
        guard let index = byHash[hash(series, choice)] else { return nil }
        var next = 0
        for (place, pair) in series.pairs.enumerated() where names[place].isKept {
            guard next < entries[index].labels.count, Identity(entries[index].labels[next].value) == Identity(pair.value),
                Identity(entries[index].labels[next].name) == Identity(pair.name)
            else { return nil }
            next += 1
        }
        return next == entries[index].labels.count ? entries[index].group : nil
    }

    /// Notes the group of a series that was asked for just now.
    mutating func note(_ series: Labels, _ group: Int, _ choice: LabelChoice) {
        guard entries.count < Self.entryCountMax else { return }
        byHash[hash(series, choice)] = entries.count
        entries.append(Entry(group: group, labels: series.pairs.filter { choice.keeps($0.name) }))
    }

    /// Of the labels that make groups; sets ``names`` for the series' labels.
    private mutating func hash(_ series: Labels, _ choice: LabelChoice) -> UInt64 {
        var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
        for (place, pair) in series.pairs.enumerated() {
            if place == names.count {
                names.append(Name(text: pair.name, isKept: choice.keeps(pair.name)))
            } else if Identity(names[place].text) != Identity(pair.name) {
                names[place] = Name(text: pair.name, isKept: choice.keeps(pair.name))
            }
            guard names[place].isKept else { continue }
            let value = Identity(pair.value)
            hash = (hash ^ value.low) &* 0xff51_afd7_ed55_8ccd
            hash = (hash ^ value.high ^ hash &>> 32) &* 0xc4ce_b9fe_1a85_ec53
        }
        return hash ^ hash &>> 29
    }
}
