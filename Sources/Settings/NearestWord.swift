/// Finds the word that somebody who mistyped probably meant.
package enum NearestWord {
    /// The one of `words` nearest to `text` by edit distance; nil where none is near enough to be a slip of the hand.
    package static func of(_ text: String, among words: [String]) -> String? {
        let typed = Array(text.lowercased().utf8.prefix(byteCountMax))
        var best: (word: String, distance: Int)?
        for word in words {
            let distance = distance(typed, Array(word.lowercased().utf8))
            if distance < best?.distance ?? .max { best = (word, distance) }
        }
        guard let best, best.distance <= max(2, best.word.utf8.count / 3), best.distance < best.word.utf8.count else {
            return nil
        }
        return best.word
    }

    /// No key is that long; a longer text is cut so that the table stays small.
    private static let byteCountMax = 128

    /// How many insertions, deletions, substitutions and swaps of neighbours lead from one to the other (optimal string
    /// alignment).
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                var cost = min(last[column + 1] + 1, current[column] + 1, last[column] + (byte == other ? 0 : 1))
                if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
