/// Which names a search takes, and how well they fit (Prometheus 3, web/api/v1, search_filters.go).
struct SearchFilter: Sendable {
    enum Algorithm: String, Sendable, CaseIterable {
        case subsequence
        case jaroWinkler = "jarowinkler"
    }

    private enum Term: Sendable {
        case subsequence(String, SubsequenceScore)
        /// The term in the name, else likeness.
        case jaroWinkler(String, JaroWinklerScore)
    }

    private let terms: [Term]
    /// From 0 to 1.
    private let threshold: Double
    private let isCaseSensitive: Bool

    /// - Parameter terms: one of them must fit; empty ones count for nothing. Without any everything fits.
    init(_ terms: [String], algorithm: Algorithm, threshold: Double, isCaseSensitive: Bool) {
        self.terms = terms.filter { !$0.isEmpty }.map { term in
            let term = isCaseSensitive ? term : term.lowercased()
            return algorithm == .subsequence ? .subsequence(term, SubsequenceScore(term)) : .jaroWinkler(term, JaroWinklerScore(term))
        }
        self.threshold = threshold
        self.isCaseSensitive = isCaseSensitive
    }

    /// How well `name` fits, from 0 to 1; nil where it does not.
    func score(_ name: String) -> Double? {
        if terms.isEmpty { return 1 }
        let name = isCaseSensitive ? name : name.lowercased()
        var best: Double?
        for term in terms {
            guard let score = score(name, term) else { continue }
            best = max(best ?? 0, score)
            if score >= 1 { break }
        }
        return best
    }

    private func score(_ name: String, _ term: Term) -> Double? {
        switch term {
        case .subsequence(let text, let matcher):
            if name.hasPrefix(text) { return 1 }
            let score = matcher.score(name)
            return score > 0 && score >= threshold ? score : nil
        case .jaroWinkler(let text, let matcher):
            if let score = Self.position(of: text, in: name) { return score }
            guard threshold > 0 else { return nil }
            let score = matcher.score(name)
            return score >= threshold ? score : nil
        }
    }

    /// 1 for a prefix, less the later `text` stands in `name`, down to 0.1 at its end; nil where it is not in it.
    private static func position(of text: String, in name: String) -> Double? {
        guard let range = name.firstRange(of: text) else { return nil }
        let place = name.unicodeScalars.distance(from: name.startIndex, to: range.lowerBound)
        let last = name.unicodeScalars.count - text.unicodeScalars.count
        return place == 0 || last <= 0 ? 1 : 1 - 0.9 * Double(place) / Double(last)
    }
}
