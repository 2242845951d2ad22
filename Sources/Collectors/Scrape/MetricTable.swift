/// The metrics of a target by number, and how many series of each the last scrape had.
struct MetricTable: Sendable {
    private var names: [String] = []
    private var numbers: [String: Int32] = [:]
    private(set) var counts: [Int] = []

    var nameCount: Int { names.count }

    mutating func number(of name: String) -> Int32 {
        if let number = numbers[name] { return number }
        let number = Int32(truncatingIfNeeded: names.count)
        names.append(name)
        counts.append(0)
        numbers[name] = number
        return number
    }

    func name(_ number: Int32) -> String { names[Int(number)] }

    mutating func count(_ number: Int32) { counts[Int(number)] += 1 }

    /// Forgets the names from `number` on.
    mutating func cut(at number: Int) {
        for name in names[number...] { numbers[name] = nil }
        names.removeLast(names.count - number)
        counts.removeLast(counts.count - number)
    }

    mutating func clearCounts() { counts = [Int](repeating: 0, count: names.count) }
}
