/// How well the letters of a term stand in a text, in their order (Prometheus, util/strutil, `SubsequenceMatcher`): long runs of them count much,
/// gaps take off a little.
struct SubsequenceScore: Sendable {
    /// Texts that are not the term itself stay below 1.
    private static let scale = 0.999
    private let term: [UInt32]

    init(_ term: String) {
        self.term = term.unicodeScalars.map(\.value)
    }

    /// From 0 (the letters are not there) to 1 (the text is the term).
    func score(_ candidate: String) -> Double {
        if term.isEmpty { return 1 }
        let text = candidate.unicodeScalars.map(\.value)
        if text == term { return 1 }
        guard text.count >= term.count else { return 0 }
        var best = -1.0
        for start in 0...(text.count - term.count) where text[start] == term[0] {
            // Where the term does not fit from here on, it does not from any later place.
            guard let score = score(text, from: start) else { break }
            best = max(best, score)
        }
        return best < 0 ? 0 : best / Double(term.count * term.count) * Self.scale
    }

    private func score(_ text: [UInt32], from start: Int) -> Double? {
        let share = 1 / Double(text.count)
        var (score, end, place) = (0.0, -1, 0)
        var index = start
        while index < text.count, place < term.count {
            guard text[index] == term[place] else {
                index += 1
                continue
            }
            let first = index
            while index < text.count, place < term.count, text[index] == term[place] {
                index += 1
                place += 1
            }
            score -= Double(first - end - 1) * share
            score += Double((index - first) * (index - first))
            end = index - 1
        }
        guard place == term.count else { return nil }
        return score - Double(text.count - 1 - end) * share * 0.5
    }
}
