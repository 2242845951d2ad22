import Telemetry

/// The groups of series that were met before, found by where their labels' texts lie rather than by what they say: a store hands out the
/// same text for the same value again and again.
struct LabelGroupCache: Sendable {
    /// A text's two words: texts with equal words are equal, but not the other way round.
    private struct Identity: Equatable {
        var low: UInt64
        var high: UInt64
    }

    private struct Entry {
        var group: Int
        /// Names and values of the labels that make the group, in turn.
        var identities: [Identity]
        /// Held so that no other text comes to lie at the same place.
        var labels: [Label]
    }

    private static let entryCountMax = 1 << 16

    /// By place among a series' labels: the name that was met there last, and whether it makes groups.
    private var names: [Identity] = []
    private var isKept: [Bool] = []
    private var heldNames: [String] = []
    private var entries: [Entry] = []
    private var byHash: [UInt64: Int] = [:]

    /// The group of a series like this one; nil where none was noted. And whether its labels' names are not those of the series before.
    mutating func group(of series: Labels, _ choice: LabelChoice) -> (group: Int?, hasOtherNames: Bool) {
        let (hash, hasOtherNames) = hash(series, choice)
        guard let index = byHash[hash] else { return (nil, hasOtherNames) }
        let isSame = Self.withWords(of: series) { words in
            var next = 0
            for place in isKept.indices.prefix(words.count) where isKept[place] {
                guard next + 1 < entries[index].identities.count, entries[index].identities[next] == words.name(place),
                    entries[index].identities[next + 1] == words.value(place)
                else { return false }
                next += 2
            }
            return next == entries[index].identities.count
        }
        return (isSame ? entries[index].group : nil, hasOtherNames)
    }

    /// Notes the group of a series.
    mutating func note(_ series: Labels, _ group: Int, _ choice: LabelChoice) {
        guard entries.count < Self.entryCountMax else { return }
        byHash[hash(series, choice).hash] = entries.count
        let identities = Self.withWords(of: series) { words in
            isKept.indices.prefix(words.count).filter { isKept[$0] }.flatMap { [words.name($0), words.value($0)] }
        }
        entries.append(Entry(group: group, identities: identities, labels: series.pairs.filter { choice.keeps($0.name) }))
    }

    /// Of the labels that make groups; sets what is known of names for the series' labels.
    private mutating func hash(_ series: Labels, _ choice: LabelChoice) -> (hash: UInt64, hasOtherNames: Bool) {
        Self.withWords(of: series) { words in
            var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
            var hasOtherNames = false
            for place in 0..<words.count {
                let name = words.name(place)
                if place >= names.count || names[place] != name {
                    hasOtherNames = true
                    note(series.pairs[place].name, name, at: place, choice)
                }
                guard isKept[place] else { continue }
                let value = words.value(place)
                hash = (hash ^ value.low) &* 0xff51_afd7_ed55_8ccd
                hash = (hash ^ value.high ^ hash &>> 32) &* 0xc4ce_b9fe_1a85_ec53
            }
            return (hash ^ hash &>> 29, hasOtherNames)
        }
    }

    private mutating func note(_ name: String, _ identity: Identity, at place: Int, _ choice: LabelChoice) {
        if place < names.count {
            (names[place], isKept[place], heldNames[place]) = (identity, choice.keeps(name), name)
        } else {
            names.append(identity)
            isKept.append(choice.keeps(name))
            heldNames.append(name)
        }
    }

    // MARK: Words

    /// The words of labels' texts, read without counting references: four a label, of its name and its value.
    private struct Words {
        let base: UnsafeRawBufferPointer

        var count: Int { base.count / MemoryLayout<Label>.stride }

        @inline(__always) func name(_ place: Int) -> Identity { identity(place * MemoryLayout<Label>.stride) }
        @inline(__always) func value(_ place: Int) -> Identity { identity(place * MemoryLayout<Label>.stride + MemoryLayout<String>.stride) }

        private func identity(_ offset: Int) -> Identity {
            Identity(low: base.load(fromByteOffset: offset, as: UInt64.self), high: base.load(fromByteOffset: offset + 8, as: UInt64.self))
        }
    }

    /// SAFETY: a label is two strings, and a string two words (checked here); the words are compared, never made a string of again. They
    /// are read while the array is held.
    private static func withWords<Value>(of series: Labels, _ body: (Words) -> Value) -> Value {
        precondition(MemoryLayout<String>.size == 16 && MemoryLayout<Label>.stride == 32)
        return series.pairs.withUnsafeBytes { body(Words(base: $0)) }
    }
}
