/// The similarity of Jaro and Winkler (W. E. Winkler, "String Comparator Metrics and Enhanced Decision Rules", 1990) with a prefix of up to four
/// letters.
struct JaroWinklerScore: Sendable {
    private let term: [UInt32]

    init(_ term: String) {
        self.term = term.unicodeScalars.map(\.value)
    }

    /// From 0 (nothing in common) to 1 (equal).
    func score(_ candidate: String) -> Double {
        let text = candidate.unicodeScalars.map(\.value)
        if text == term { return 1 }
        guard !text.isEmpty, !term.isEmpty else { return 0 }
        let (short, long) = term.count > text.count ? (text, term) : (term, text)
        let distance = max(long.count / 2 - 1, 0)
        var isTaken = [Bool](repeating: false, count: long.count)
        var matched: [UInt32] = []
        for (index, letter) in short.enumerated() {
            let range = max(index - distance, 0)..<min(index + distance + 1, long.count)
            guard let place = range.first(where: { !isTaken[$0] && long[$0] == letter }) else { continue }
            isTaken[place] = true
            matched.append(letter)
        }
        guard !matched.isEmpty else { return 0 }
        let others = long.indices.lazy.filter { isTaken[$0] }.map { long[$0] }
        let transpositions = zip(matched, others).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
        let matches = Double(matched.count)
        let jaro =
            (matches / Double(short.count) + matches / Double(long.count) + (matches - Double(transpositions) * 0.5) / matches) / 3
        let prefix = zip(short, long).prefix(4).prefix { $0 == $1 }.count
        return jaro + Double(prefix) * 0.1 * (1 - jaro)
    }
}
