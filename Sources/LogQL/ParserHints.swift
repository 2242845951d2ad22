/// Which labels the numbers of a query need, so that parsers stop once they have them (Loki, `ParserHint`). It is more than speed: what stands
/// behind the last label needed is not read, so that a fault there is none.
struct ParserHints {
    /// Parsers need not run at all.
    private let skipsAll: Bool
    /// Empty: all labels are needed.
    private let required: [String]

    /// For queries that need every label.
    static let none = ParserHints(skipsAll: false, required: [])

    private init(skipsAll: Bool, required: [String]) {
        self.skipsAll = skipsAll
        self.required = required
    }

    /// - Parameter needed: the labels that are grouped by, unwrapped, or read by stages; nil: all.
    init(needed: Set<String>?) {
        guard let needed else {
            self = .none
            return
        }
        // A name that a conflict made needs the plain one as well, which then never comes.
        let isPlain = !needed.contains { $0.hasSuffix(RowLabels.conflictSuffix) || $0.hasPrefix(ErrorLabel.prefix) }
        self.init(skipsAll: needed.isEmpty, required: isPlain ? needed.sorted() : [])
    }

    /// Whether a parser may stop here.
    func isSatisfied(by labels: borrowing RowLabels) -> Bool {
        if skipsAll { return true }
        if required.isEmpty { return false }
        for name in required where !labels.hasOwn(name) { return false }
        return true
    }
}
